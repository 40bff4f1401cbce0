/** The pages that can be shown: a store has neither single calls nor sources. */
import { type ComponentChildren, createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../api_types";
import { address } from "../route";

const ALL = ["triage", "timeline", "flame", "chains", "calls", "services", "source"];
const OF_STORE = ["triage", "flame", "chains", "services"];

export const ShownPages = createContext<readonly string[]>(ALL);

export function pagesOf(session: Session | null): readonly string[] {
  return session?.store ? OF_STORE : ALL;
}

/** A link to a page; nothing if the page is not shown. */
export function PageLink({ page, parameters, label, children, ...others }: {
  page: string;
  parameters: Record<string, string | undefined>;
  class?: string;
  label?: string;
  children: ComponentChildren;
}) {
  const isShown = useContext(ShownPages).includes(page);
  return isShown ? <a href={address(page, parameters)} aria-label={label} {...others}>{children}</a> : null;
}
