/** Flame graph of a selection, its callers inverted, or the difference of two selections. */
import { useAnswer } from "../api";
import type { Flame } from "../api_types";
import type { PageProps } from "../app";
import { FlameCanvas } from "../flame/graph";
import { isComparison, type Measure } from "../flame/layout";
import { Answered, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { FilterBar } from "../parts/filter_bar";
import { TextField } from "../parts/text_field";
import { address, FILTERS, filtersOf, type Parameters } from "../route";
import { count, duration } from "../units";

const SECOND = "b_";
const TABLE_ROWS = 30;

export function FlameGraph({ session, route, revision }: PageProps) {
  const { parameters } = route;
  const isCompared = parameters["against"] === "1";
  const direction = parameters["direction"] === "callers" ? "callers" : "callees";
  const measure: Measure = parameters["by"] === "calls" ? "calls" : "time";
  const query = { ...filtersOf(parameters), ...secondOf(parameters), direction, function: parameters["function"], against: isCompared ? "1" : undefined };
  const answer = useAnswer<Flame>("flame", query, revision);
  const set = (changes: Record<string, string | undefined>) => { location.hash = address("flame", { ...parameters, ...changes }); };
  return (
    <div class="page wide">
      <div class="page-head"><h1>{direction === "callers" ? "Callers" : "Flame graph"}</h1><Command text={answer.data?.command} /></div>
      <div class="filters">
        <Choice label="Direction" value={direction} options={[["callees", "Callees"], ["callers", "Callers"]]} set={(value) => set({ direction: value })} />
        <Choice label="Width" value={measure} options={[["time", "Time"], ["calls", "Calls"]]} set={(value) => set({ by: value })} />
        <TextField label="Function" placeholder="all" value={parameters["function"]} set={(value) => set({ function: value })} />
        <TextField label="Highlight" value={parameters["find"]} set={(value) => set({ find: value })} />
        <label class="check">
          <input type="checkbox" checked={isCompared} onChange={(event) => set({ against: event.currentTarget.checked ? "1" : undefined })} />
          Compare with another selection
        </label>
      </div>
      <FilterBar page="flame" parameters={parameters} session={session} />
      {isCompared ? <div class="second"><span class="muted">compared with</span><FilterBar page="flame" parameters={parameters} session={session} prefix={SECOND} /></div> : null}
      <Answered answer={answer} what="the flame graph">
        {(flame) => flame.nodes.length ? (
          <>
            {flame.truncated ? <p class="muted">only the largest nodes are shown</p> : null}
            {flame.nodes.some((node) => node.suspended_ns === null) ? <p class="muted">self time contains suspended time, since only a part of the time is selected</p> : null}
            {isComparison(flame) ? <p class="legend"><span class="less" /> smaller share than in the second selection <span class="more" /> larger share</p> : null}
            <FlameCanvas flame={flame} measure={measure} find={parameters["find"] ?? ""} choose={(name) => set({ function: name })} />
            <Largest flame={flame} />
          </>
        ) : <Nothing>no calls match the filters</Nothing>}
      </Answered>
    </div>
  );
}

function secondOf(parameters: Parameters): Parameters {
  const names = FILTERS.map((key) => SECOND + key);
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => names.includes(name)));
}

function Choice({ label, value, options, set }: { label: string; value: string; options: [string, string][]; set: (value: string) => void }) {
  return (
    <span class="choice" role="group" aria-label={label}>
      {options.map(([key, title]) => <button key={key} type="button" aria-pressed={key === value} onClick={() => set(key)}>{title}</button>)}
    </span>
  );
}

/** The functions with most time of their own, over all nodes. */
function Largest({ flame }: { flame: Flame }) {
  const sums = new Map<string, { calls: number; failed: number; self: number; other: number }>();
  for (const node of flame.nodes) {
    const sum = sums.get(node.function) ?? { calls: 0, failed: 0, self: 0, other: 0 };
    sums.set(node.function, { calls: sum.calls + node.calls, failed: sum.failed + node.failed, self: sum.self + node.self_ns, other: sum.other + (node.other_self_ns ?? 0) });
  }
  const rows = [...sums].sort(([, a], [, b]) => b.self + b.other - a.self - a.other).slice(0, TABLE_ROWS);
  const isCompared = isComparison(flame);
  return (
    <section>
      <h2>Most time of their own</h2>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Functions">
        <table>
          <thead><tr><th>Function</th><th class="n">Calls</th><th class="n">Failed</th><th class="n">Self</th>{isCompared ? <th class="n">Self, other</th> : null}</tr></thead>
          <tbody>
            {rows.map(([name, sum]) => (
              <tr key={name}>
                <td class="name"><a href={address("chains", { function: name })}>{name}</a></td>
                <td class="n">{count(sum.calls)}</td>
                <td class={`n ${sum.failed ? "bad" : "zero"}`}>{count(sum.failed)}</td>
                <td class="n">{duration(sum.self)}</td>
                {isCompared ? <td class="n">{duration(sum.other)}</td> : null}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
