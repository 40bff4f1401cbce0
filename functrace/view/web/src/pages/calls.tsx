/** All calls that match, as a table that is loaded page by page. */
import { useEffect, useRef, useState } from "preact/hooks";
import { request, useAnswer } from "../api";
import type { Call, Calls as Found, Session } from "../api_types";
import type { PageProps } from "../app";
import { Answered, Failure, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { FilterBar } from "../parts/filter_bar";
import { address, filtersOf, type Parameters } from "../route";
import { duration, moment, several } from "../units";

const PAGE = 200;
const COLUMNS = [["start", "Start"], ["duration", "Duration"], ["self", "Self"]] as const;

export function Calls({ session, route, revision }: PageProps) {
  const { parameters } = route;
  const query = { ...filtersOf(parameters), sort: parameters["sort"] ?? "start", order: parameters["order"] ?? "asc", limit: PAGE };
  const first = useAnswer<Found>("calls", { ...query, offset: 0 }, revision);
  const [more, setMore] = useState<{ of: Found; calls: Call[]; error?: string } | null>(null);
  const { calls: rest, error } = more && more.of === first.data ? more : { calls: [] };
  const isLoading = useRef(false);
  const loadMore = async (found: Found) => {
    if (isLoading.current) return;
    isLoading.current = true;
    const offset = found.calls.length + rest.length;
    setMore(await request<Found>("calls", { ...query, offset }).then(
      (next) => ({ of: found, calls: [...rest, ...next.calls] }),
      (failure: Error) => ({ of: found, calls: rest, error: failure.message }),
    ));
    isLoading.current = false;
  };
  return (
    <div class="page wide">
      <div class="page-head"><h1>Calls</h1><Command text={first.data?.command} /></div>
      <FilterBar page="calls" parameters={parameters} session={session} />
      <Answered answer={first} what="the calls">
        {(found) => found.calls.length
          ? <Table found={found} calls={[...found.calls, ...rest]} session={session} parameters={parameters} error={error} loadMore={() => void loadMore(found)} />
          : <Nothing>no calls match the filters</Nothing>}
      </Answered>
    </div>
  );
}

interface TableProps {
  found: Found;
  calls: Call[];
  session: Session;
  parameters: Parameters;
  /** why the next calls could not be loaded */
  error: string | undefined;
  loadMore: () => void;
}

function Table({ found, calls, session, parameters, error, loadMore }: TableProps) {
  return (
    <>
      <p class="muted">{found.exact ? "" : "at least "}{several(found.total, "call")}</p>
      <div class="scroll-x table-box" tabIndex={0} role="region" aria-label="Calls">
        <table class="calls">
          <thead>
            <tr>
              {COLUMNS.map(([key, title]) => <Sorted key={key} column={key} title={title} parameters={parameters} />)}
              <th>Function</th><th>Called by</th><th>Track</th><th>Error</th>
            </tr>
          </thead>
          <tbody>{calls.map((call, index) => <Row key={index} call={call} session={session} />)}</tbody>
        </table>
        {error ? <Failure message={error} /> : null}
        {calls.length < found.total ? <More load={loadMore} isAutomatic={!error} /> : null}
      </div>
    </>
  );
}

function Sorted({ column, title, parameters }: { column: string; title: string; parameters: Parameters }) {
  const isSorted = (parameters["sort"] ?? "start") === column;
  const isDown = parameters["order"] === "desc";
  const order = isSorted ? (isDown ? "asc" : "desc") : column === "start" ? "asc" : "desc";
  return (
    <th class="n" aria-sort={isSorted ? (isDown ? "descending" : "ascending") : undefined}>
      <a href={address("calls", { ...parameters, sort: column, order })}>{title}{isSorted ? (isDown ? " ↓" : " ↑") : ""}</a>
    </th>
  );
}

function Row({ call, session }: { call: Call; session: Session }) {
  const trace = session.traces.length > 1 ? session.traces.find((each) => each.id === call.trace) : null;
  return (
    <tr class={call.failed ? "failed" : ""}>
      <td class="n"><a href={onTimeline(call)}>{moment(call.start_ns)}</a></td>
      <td class="n">{call.duration_ns === null ? "open" : duration(call.duration_ns)}</td>
      <td class="n">{duration(call.self_ns)}</td>
      <td class="name"><a href={address("chains", { function: call.function })}>{call.function}</a></td>
      <td class="name muted">{call.parent_function ?? ""}</td>
      <td>{trace ? `${trace.service || trace.name} ` : ""}{call.track_name}</td>
      <td class="error" title={call.error ?? ""}>{call.error ?? (call.failed ? "failed" : "")}</td>
    </tr>
  );
}

/** Return the address of a call on the timeline. */
function onTimeline(call: Call): string {
  const length = Math.max(call.duration_ns ?? 0, 100);
  const select = [call.track, call.start_ns, call.depth, call.duration_ns ?? 0].join(":");
  return address("timeline", { from: Math.floor(call.start_ns - length), to: Math.ceil(call.start_ns + 2 * length), select });
}

/** Load the next page when the end of the table comes into view, after a failure only on a click. */
function More({ load, isAutomatic }: { load: () => void; isAutomatic: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef({ load, isAutomatic });
  latest.current = { load, isAutomatic };
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && latest.current.isAutomatic && latest.current.load());
    observer.observe(button.current!);
    return () => observer.disconnect();
  }, []);
  return <button ref={button} type="button" onClick={load}>More</button>;
}
