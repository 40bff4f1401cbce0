/** Search for functions: the key /. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useAnswer } from "../api";
import type { FunctionMatch } from "../api_types";
import { address } from "../route";
import { count } from "../units";
import { Failure } from "./answer";
import { Dialog } from "./dialog";
import { PageLink } from "./pages";

const LIMIT = 50;
const PAUSE_MS = 120;

export function Search({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  useEffect(() => {
    const timer = window.setTimeout(() => setQuery(text), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  const answer = useAnswer<FunctionMatch[]>("functions", { q: query, limit: LIMIT });
  const found = answer.data ?? [];
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setChosen(Math.min(chosen + 1, found.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && found[chosen]) {
      location.hash = address("chains", { function: found[chosen].name });
      close();
    } else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Search functions" close={close}>
      <input
        type="text"
        class="search-box"
        role="combobox"
        aria-label="Name of a function"
        aria-autocomplete="list"
        aria-haspopup="grid"
        aria-expanded={found.length > 0}
        aria-controls={found.length ? "matches" : undefined}
        aria-activedescendant={found[chosen] ? idOf(found[chosen]) : undefined}
        placeholder="Part of a name, such as store.Get"
        autoFocus
        value={text}
        onInput={(event) => { setText(event.currentTarget.value); setChosen(0); }}
        onKeyDown={onKey}
      />
      {answer.error ? <Failure message={answer.error} /> : null}
      {found.length ? (
        <div id="matches" class="matches" role="grid" aria-label="Functions">
          {found.map((each, index) => <Match key={each.id} found={each} isChosen={index === chosen} close={close} />)}
        </div>
      ) : null}
      {answer.data && !found.length ? <p class="nothing">no function matches {query}</p> : null}
    </Dialog>
  );
}

function idOf(found: FunctionMatch): string {
  return `match-${found.id}`;
}

function Match({ found, isChosen, close }: { found: FunctionMatch; isChosen: boolean; close: () => void }) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isChosen) row.current?.scrollIntoView({ block: "nearest" });
  }, [isChosen]);
  return (
    <div ref={row} id={idOf(found)} role="row" aria-selected={isChosen} onClick={(event) => event.target instanceof HTMLAnchorElement && close()}>
      <span role="gridcell" class="name"><a href={address("chains", { function: found.name })}>{found.name}</a></span>
      <span role="gridcell" class="figure">{count(found.calls)}×</span>
      <span role="gridcell" class={`figure ${found.failed ? "bad" : "zero"}`}>{found.failed ? `${count(found.failed)} failed` : ""}</span>
      <span role="gridcell" class="links">
        <PageLink page="timeline" parameters={{ find: found.name }} label={`Timeline of ${found.name}`}>timeline</PageLink>
        <PageLink page="calls" parameters={{ include: found.name }} label={`Calls of ${found.name}`}>calls</PageLink>
        <PageLink page="flame" parameters={{ function: found.name, direction: "callers" }} label={`Callers of ${found.name}`}>callers</PageLink>
        <PageLink page="source" parameters={{ function: found.name }} label={`Source of ${found.name}`}>source</PageLink>
      </span>
    </div>
  );
}
