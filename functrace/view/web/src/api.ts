/** Requests to the server, or to the data of a saved page. */
import { useEffect, useState } from "preact/hooks";
import { answerSaved, savedPage } from "./saved";

export type Query = Record<string, string | number | boolean | null | undefined>;

/** Parameters that are times: a range may begin before the trace, where nothing is. */
const TIMES = new Set(["from", "to", "b_from", "b_to"]);

/** Return the answer of an endpoint. Throws an Error with one sentence for the reader. */
export async function request<T>(endpoint: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) {
      parameters.set(key, value === true ? "1" : TIMES.has(key) ? String(Math.max(Number(value), 0)) : String(value));
    }
  }
  if (savedPage) return answerSaved(savedPage, endpoint, parameters) as T;
  let response: Response;
  try {
    response = await fetch(`api/${endpoint}?${parameters}`, { signal: signal ?? null, headers: { accept: "application/json" } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error("functrace view does not answer; was it stopped?");
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const message = body && typeof body === "object" && "error" in body ? String(body.error) : "";
    throw new Error(message || `functrace view answered with status ${response.status}`);
  }
  return body as T;
}

export interface Answer<T> {
  /** The newest answer; while another one is loaded, that of the query before. */
  data: T | null;
  error: string | null;
  loading: boolean;
}

/** Load the answer of an endpoint whenever its query or `revision` changes; null loads nothing. */
export function useAnswer<T>(endpoint: string, query: Query | null, revision = 0): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ data: null, error: null, loading: query !== null });
  const key = JSON.stringify(query);
  useEffect(() => {
    if (query === null) {
      setAnswer({ data: null, error: null, loading: false });
      return;
    }
    const abort = new AbortController();
    setAnswer((before) => ({ ...before, error: null, loading: true }));
    request<T>(endpoint, query, abort.signal).then(
      (data) => !abort.signal.aborted && setAnswer({ data, error: null, loading: false }),
      (error: Error) => !abort.signal.aborted && setAnswer({ data: null, error: error.message, loading: false }),
    );
    return () => abort.abort();
  }, [endpoint, key, revision]);
  return answer;
}
