/** The frame around all pages: navigation, search, help, theme. */
import { useContext, useEffect, useState } from "preact/hooks";
import { useAnswer } from "./api";
import type { Session } from "./api_types";
import { useLiveRevision } from "./live";
import { Calls } from "./pages/calls";
import { Chains } from "./pages/chains";
import { FlameGraph } from "./pages/flame_graph";
import { Services } from "./pages/services";
import { Source } from "./pages/source";
import { TimelinePage } from "./pages/timeline";
import { TriagePage } from "./pages/triage";
import { Failure, Loading } from "./parts/answer";
import { isTyping } from "./keys";
import { Help } from "./parts/help";
import { Icon } from "./parts/icon";
import { pagesOf, ShownPages } from "./parts/pages";
import { Search } from "./parts/search";
import { address, filtersOf, type Route, useRoute } from "./route";
import { applyTheme, chosenTheme, type Theme } from "./theme";
import { several } from "./units";

export interface PageProps {
  session: Session;
  route: Route;
  /** Changes when a live trace has grown. */
  revision: number;
}

const PAGES: Record<string, { title: string; view: (props: PageProps) => preact.JSX.Element }> = {
  triage: { title: "Triage", view: TriagePage },
  timeline: { title: "Timeline", view: TimelinePage },
  flame: { title: "Flame graph", view: FlameGraph },
  chains: { title: "Chains", view: Chains },
  calls: { title: "Calls", view: Calls },
  services: { title: "Services", view: Services },
  source: { title: "Source", view: Source },
};

/** How often to ask for the calls of a large trace until they are counted. */
const COUNTING_MS = 1000;

export function App() {
  const route = useRoute();
  const [dialog, setDialog] = useState<"search" | "help" | null>(null);
  const first = useAnswer<Session>("session", {});
  const live = useLiveRevision(first.data?.live ?? false);
  const [counting, setCounting] = useState(0);
  const newer = useAnswer<Session>("session", live || counting ? {} : null, live + counting);
  const session = newer.data ?? first.data;
  useEffect(() => {
    const isCounted = !session || session.traces.every((trace) => trace.calls !== null);
    const timer = isCounted ? 0 : window.setTimeout(() => setCounting(counting + 1), COUNTING_MS);
    return () => window.clearTimeout(timer);
  }, [session, counting]);
  useEffect(() => {
    document.title = `${PAGES[route.page]?.title ?? "functrace"} – ${session ? titleOf(session) : "functrace"}`;
  }, [route.page, session]);
  useEffect(() => listenToKeys(setDialog), []);
  return (
    <ShownPages.Provider value={pagesOf(session)}>
      <a class="skip" href="#content" onClick={focusContent}>Skip to content</a>
      <Header route={route} session={session} open={setDialog} />
      <main id="content" tabIndex={-1} class={`page-${route.page}`}>
        {session ? <Page session={session} route={route} revision={live} /> : null}
        {first.loading && !session ? <Loading what="what was recorded" /> : null}
        {first.error ? <Failure message={first.error} /> : null}
      </main>
      {dialog === "search" ? <Search close={() => setDialog(null)} /> : null}
      {dialog === "help" ? <Help close={() => setDialog(null)} /> : null}
    </ShownPages.Provider>
  );
}

function Page(props: PageProps) {
  const page = PAGES[props.route.page];
  if (!page) return <Failure message={`there is no page ${props.route.page}`} />;
  if (!pagesOf(props.session).includes(props.route.page)) return <Failure message={`a store has no single calls, tracks or sources: the page ${page.title} requires traces`} />;
  const View = page.view;
  return <View {...props} />;
}

function Header({ route, session, open }: { route: Route; session: Session | null; open: (dialog: "search" | "help") => void }) {
  const filters = filtersOf(route.parameters);
  const pages = useContext(ShownPages);
  return (
    <header class="top">
      <span class="brand">functrace</span>
      <span class="trace" title={session?.traces.map((trace) => trace.path).join("\n")}>{session ? titleOf(session) : ""}</span>
      {session?.live ? <span class="badge live">live</span> : null}
      <nav aria-label="Pages">
        {Object.entries(PAGES).filter(([page]) => pages.includes(page)).map(([page, { title }]) => (
          <a key={page} href={address(page, FILTERED.has(page) ? filters : {})} aria-current={page === route.page ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <button type="button" class="search" onClick={() => open("search")}>
        <Icon name="search" /> Search functions <kbd>/</kbd>
      </button>
      <ThemeSwitch />
      <button type="button" class="plain" aria-label="Help" title="Help (?)" onClick={() => open("help")}>
        <Icon name="help" />
      </button>
    </header>
  );
}

/** Pages that keep the filters of the page before. */
const FILTERED = new Set(["timeline", "flame", "calls"]);

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function ThemeSwitch() {
  const [theme, setTheme] = useState(chosenTheme);
  const change = () => {
    applyTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <button type="button" class="plain" aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`} onClick={change}>
      <Icon name={theme} />
    </button>
  );
}

function titleOf(session: Session): string {
  if (session.store) return session.store.place;
  const [first] = session.traces;
  return session.traces.length === 1 && first ? first.name : several(session.traces.length, "trace");
}

function focusContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function listenToKeys(open: (dialog: "search" | "help" | null) => void): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") open(null);
    if (isTyping(event.target)) return;
    if (event.key !== "/" && event.key !== "?") return;
    event.preventDefault();
    open(event.key === "/" ? "search" : "help");
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}

