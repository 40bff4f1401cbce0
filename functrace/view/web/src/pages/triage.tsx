/** What is wrong in the trace: the findings of `functrace triage`. */
import { useAnswer } from "../api";
import type { Finding, Session, TraceInfo, Triage } from "../api_types";
import type { PageProps } from "../app";
import { Answered, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { PageLink } from "../parts/pages";
import { Reason } from "../parts/reason";
import { Steps } from "../parts/steps";
import { StoredExample } from "../parts/stored_example";
import { StoredServices, StoreSummary } from "../parts/stored_services";
import { address } from "../route";
import { count, duration, several } from "../units";
import { KINDS, type Kind, type Words } from "./triage_kinds";

/** Findings of a kind that are shown at first. */
const LIMIT = 20;

export function TriagePage({ session, route, revision }: PageProps) {
  const limit = route.parameters["limit"] === "0" ? 0 : LIMIT;
  const answer = useAnswer<Triage>("triage", { limit }, revision);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Triage</h1>
        <Command text={answer.data?.command ?? `functrace triage ${session.arguments}`} />
      </div>
      {session.traces.map((trace) => (trace.reason ? <Reason key={trace.id} reason={trace.reason} /> : null))}
      {session.store ? <StoreSummary store={session.store} /> : <Summary session={session} />}
      <Answered answer={answer} what="the findings">{(triage) => <Findings triage={triage} isPython={!session.store && session.traces.every((trace) => trace.language === "python")} />}</Answered>
      {session.store ? <StoredServices store={session.store} /> : <Traces session={session} />}
    </div>
  );
}

function Summary({ session }: { session: Session }) {
  const sum = (key: "calls" | "failed" | "tracks") => session.traces.reduce<number | null>((total, trace) => (total === null || trace[key] === null ? null : total + trace[key]), 0);
  const isGo = session.traces.every((trace) => trace.language === "go");
  const failed = sum("failed");
  return (
    <dl class="summary">
      <Figure name="Calls" value={count(sum("calls"))} />
      <Figure name="Failed" value={count(failed)} isBad={failed !== null && failed > 0} />
      <Figure name={isGo ? "Goroutines" : "Tracks"} value={count(sum("tracks"))} />
      <Figure name="Duration" value={duration(session.duration_ns)} />
    </dl>
  );
}

function Figure({ name, value, isBad = false }: { name: string; value: string; isBad?: boolean }) {
  return <div><dt>{name}</dt><dd class={isBad ? "bad" : ""}>{value}</dd></div>;
}

function Findings({ triage, isPython }: { triage: Triage; isPython: boolean }) {
  const found = KINDS.filter((kind) => triage[kind.key].length);
  if (!found.length) return <Nothing>{triage.calls ? "nothing found, nothing missing" : "no calls were recorded"}</Nothing>;
  return (
    <>
      {found.map((kind) => (
        <section key={kind.key} class={`findings tone-${kind.tone}`} aria-labelledby={`findings-${kind.key}`}>
          <h2 id={`findings-${kind.key}`}>
            {kind.title} <span class="number">{triage.more_findings && triage[kind.key].length === LIMIT ? "first " : ""}{count(triage[kind.key].length)}</span>
            {triage.sampled_findings.includes(kind.key) ? <small>only a part of the calls was examined, there were too many</small> : null}
          </h2>
          {triage[kind.key].map((finding, index) => <FindingCard key={index} finding={finding} kind={kind} words={{ isPython, atLeast: triage.sampled_findings.includes(kind.key) ? "≥" : "" }} />)}
        </section>
      ))}
      {triage.more_findings ? <p class="nothing">{several(triage.more_findings, "more finding")} <a class="action" href={address("triage", { limit: 0 })}>Show all</a></p> : null}
    </>
  );
}

function FindingCard({ finding, kind, words }: { finding: Finding; kind: Kind; words: Words }) {
  const links = finding.links ?? {};
  return (
    <article class="finding">
      <div class="headline">
        {finding.function ? <a class="function" href={address("chains", { function: finding.function })}>{finding.function}</a> : null}
        {finding.service ? <span class="muted">of {finding.service}</span> : null}
        <span>{kind.headline(finding, words)}</span>
      </div>
      {finding.pattern ? <p class="error-text">{finding.pattern}</p> : null}
      {finding.steps?.length ? <Steps steps={finding.steps} /> : null}
      <div class="actions">
        {links.timeline ? <a class="action" href={links.timeline}>{kind.example}</a> : null}
        {links.chains ? <a class="action" href={links.chains}>Chains</a> : null}
        {finding.function ? <PageLink class="action" page="source" parameters={{ function: finding.function }}>Source</PageLink> : null}
        <Command text={finding.command} />
        <StoredExample example={finding.example} />
      </div>
    </article>
  );
}

function Traces({ session }: { session: Session }) {
  return (
    <section class="traces">
      <h2>{session.traces.length === 1 ? "Trace" : "Traces"}</h2>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Traces">
        <table>
          <thead>
            <tr><th>Trace</th><th>Program</th><th>Service</th><th>Process</th><th>Host</th><th>Language</th><th class="n">Calls</th><th class="n">Failed</th><th class="n">Tracks</th><th class="n">Duration</th></tr>
          </thead>
          <tbody>{session.traces.map((trace) => <TraceRow key={trace.id} trace={trace} />)}</tbody>
        </table>
      </div>
    </section>
  );
}

function TraceRow({ trace }: { trace: TraceInfo }) {
  return (
    <>
      <tr>
        <td title={trace.path}><a href={address("timeline", { from: trace.start_ns, to: trace.end_ns })}>{trace.name}</a></td>
        <td>{trace.program}</td><td>{trace.service}</td><td>{trace.pid}</td><td>{trace.host}</td><td>{trace.language}</td>
        <td class="n">{count(trace.calls)}</td>
        <td class={`n ${trace.failed ? "bad" : "zero"}`}>{count(trace.failed)}</td>
        <td class="n">{count(trace.tracks)}</td>
        <td class="n">{duration(trace.end_ns - trace.start_ns)}</td>
      </tr>
      {trace.notes.map((note) => <tr key={note} class="note"><td colSpan={10}>{note}</td></tr>)}
    </>
  );
}
