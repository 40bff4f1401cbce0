/** Panel with one call in full. */
import type { Answer } from "../api";
import type { CallDetails } from "../api_types";
import { Answered } from "../parts/answer";
import { Command } from "../parts/command";
import { useFolding } from "../parts/folding";
import { Icon } from "../parts/icon";
import { placeOf } from "../parts/steps";
import { address } from "../route";
import { duration, moment } from "../units";

export function Details({ answer, close }: { answer: Answer<CallDetails>; close: () => void }) {
  return (
    <aside class="details" aria-label="Call">
      <button type="button" class="plain close" aria-label="Close the call" onClick={close}><Icon name="close" /></button>
      <Answered answer={answer} what="the call">{(call) => <Call call={call} />}</Answered>
    </aside>
  );
}

function Call({ call }: { call: CallDetails }) {
  return (
    <>
      <h2>{call.function}</h2>
      <p class="muted">{placeOf(call)}</p>
      {call.failed || call.error ? <p class="error-text">{call.error || (call.panicked ? "panicked" : "failed")}</p> : null}
      <dl class="facts">
        <Fact name="Duration" value={call.duration_ns === null || call.unfinished ? "unfinished" : duration(call.duration_ns)} />
        <Fact name="Self" value={duration(call.self_ns)} />
        {call.suspended_ns ? <Fact name="Suspended" value={duration(call.suspended_ns)} /> : null}
        <Fact name="Start" value={moment(call.start_ns, 1)} />
        <Fact name="Track" value={call.track_name} />
      </dl>
      <div class="actions">
        <a class="action" href={address("source", { function: call.function })}>Source</a>
        <a class="action" href={address("chains", { function: call.function, errors: call.failed ? 1 : null })}>Chains</a>
        <a class="action" href={address("calls", { include: call.function })}>Calls</a>
        <a class="action" href={address("flame", { function: call.function, direction: "callers" })}>Callers</a>
      </div>
      <h3>Chain</h3>
      {call.chain_truncated ? <p class="muted">only the innermost calls of the chain are shown, it has too many</p> : null}
      <Chain key={`${call.track}:${call.start_ns}:${call.depth}`} call={call} />
      {call.requests?.length ? <Requests requests={call.requests} /> : null}
      <Command text={call.command} />
    </>
  );
}

function Chain({ call }: { call: CallDetails }) {
  const folding = useFolding(call.chain.length);
  return (
    <ol class="chain">
      {call.chain.map((step, index) => {
        if (index === folding.first) return <li key={index}><button type="button" class="more" onClick={folding.open}>{folding.count} more</button></li>;
        if (folding.isHidden(index)) return null;
        return (
          <li key={index} class={step.started ? "started" : ""}>
            <a href={hrefOf(step, call)} title={placeOf(step)}>{step.function}</a>
            <span class="figure">{step.duration_ns === undefined ? "" : step.duration_ns === null ? "open" : duration(step.duration_ns)}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** Return the address of the step on the timeline, or of its source if its time is unknown. */
function hrefOf(step: CallDetails["chain"][number], call: CallDetails): string {
  if (typeof step.start_ns !== "number") return address("source", { function: step.function });
  const margin = Math.max(Math.round((step.duration_ns ?? 1000) / 4), 100);
  return address("timeline", {
    from: step.start_ns - margin,
    to: step.start_ns + (step.duration_ns ?? 1000) + margin,
    select: [step.track ?? call.track, step.start_ns, ...(step.depth === undefined ? [] : [step.depth, step.duration_ns ?? 0])].join(":"),
  });
}

function Requests({ requests }: { requests: NonNullable<CallDetails["requests"]> }) {
  return (
    <>
      <h3>Requests</h3>
      {requests.map((request, index) => (
        <dl key={index} class="facts">
          {Object.entries(request).map(([name, value]) => isEmpty(value) ? null : <Fact key={name} name={name.replaceAll("_", " ")} value={String(value)} />)}
        </dl>
      ))}
    </>
  );
}

/** Return whether a value says nothing; an id of zeros is that of a request without one. */
function isEmpty(value: unknown): boolean {
  return value === null || value === "" || value === false || /^0{8,}$/.test(String(value));
}

function Fact({ name, value }: { name: string; value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}
