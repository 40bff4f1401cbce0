/** The source of a function, with calls, failures and time beside its lines. */
import { useEffect, useRef } from "preact/hooks";
import { useAnswer } from "../api";
import type { Source as Found } from "../api_types";
import type { PageProps } from "../app";
import { Answered, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { TextField } from "../parts/text_field";
import { address } from "../route";
import { count, duration } from "../units";

export function Source({ route, revision }: PageProps) {
  const { parameters } = route;
  const name = parameters["function"];
  const answer = useAnswer<Found>("source", name ? { function: name } : null, revision);
  return (
    <div class="page wide">
      <div class="page-head"><h1>Source</h1><Command text={answer.data?.command} /></div>
      <div class="filters">
        <TextField label="Function" placeholder="e.g. store.Get" value={name} set={(text) => { location.hash = address("source", { function: text }); }} />
        {name ? <a class="action" href={address("chains", { function: name })}>Chains</a> : null}
      </div>
      {name ? null : <Nothing>Choose a function: press <kbd>/</kbd> to search, or type its name above.</Nothing>}
      <Answered answer={answer} what="the source">{(found) => <File found={found} />}</Answered>
    </div>
  );
}

function File({ found }: { found: Found }) {
  const slowest = Math.max(1, ...Object.values(found.figures).map((each) => each.total_ns));
  const target = useRef<HTMLTableRowElement>(null);
  useEffect(() => target.current?.scrollIntoView({ block: "center" }), [found.file, found.line]);
  if (!found.exists) return <Nothing>{found.file || "the source"} cannot be read on this machine</Nothing>;
  return (
    <>
      <p class="path">{found.file}</p>
      {found.changed ? <p class="warning">The file was changed after the trace was recorded; figures may stand beside other lines.</p> : null}
      <div class="scroll-x table-box" tabIndex={0} role="region" aria-label="Source">
        <table class="source">
          <thead><tr><th class="n">Calls</th><th class="n">Failed</th><th class="n">Time</th><th class="n">Line</th><th>Source</th></tr></thead>
          <tbody>
            {found.lines.map((text, index) => {
              const line = found.first_line + index;
              const figures = found.figures[line];
              return (
                <tr key={line} ref={line === found.line ? target : undefined} class={line === found.line ? "target" : ""}>
                  <td class="n">{figures ? count(figures.calls) : ""}</td>
                  <td class="n bad">{figures?.failed ? count(figures.failed) : ""}</td>
                  <td class="n heat">{figures ? <><span style={{ width: `${(100 * figures.total_ns) / slowest}%` }} />{duration(figures.total_ns)}</> : ""}</td>
                  <td class="n muted">{line}</td>
                  <td class="code">{text || " "}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
