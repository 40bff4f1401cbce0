/** The state of the page, kept in the fragment of its address: `#/timeline?from=0&to=1000`. */
import { useEffect, useState } from "preact/hooks";

export type Parameters = Record<string, string>;

export interface Route {
  page: string;
  parameters: Parameters;
}

export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  return { page: path || "triage", parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/** Return the fragment of a page; parameters without a value are left out. */
export function address(page: string, parameters: Record<string, string | number | null | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(key, String(value));
  }
  const text = query.toString();
  return `#/${page}${text ? `?${text}` : ""}`;
}

/** Replace the fragment without a new entry in the history, as panning does. */
export function replaceAddress(fragment: string): void {
  if (location.hash !== fragment) {
    history.replaceState(null, "", fragment);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const update = () => setRoute(parseRoute(location.hash));
    window.addEventListener("hashchange", update);
    return () => window.removeEventListener("hashchange", update);
  }, []);
  return route;
}

/** The filters that all pages share, in the order in which they are shown. */
export const FILTERS = ["from", "to", "tracks", "service", "errors", "min_duration", "include", "exclude"] as const;

/** Return the filters among `parameters`. */
export function filtersOf(parameters: Parameters): Parameters {
  return Object.fromEntries(FILTERS.flatMap((key) => (parameters[key] ? [[key, parameters[key]]] : [])));
}
