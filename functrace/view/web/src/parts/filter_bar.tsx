/** Filters that flame graphs, calls and chains share. */
import type { Session } from "../api_types";
import { address, FILTERS, type Parameters } from "../route";
import { duration, moment } from "../units";
import { DurationField } from "./duration_field";
import { TextField } from "./text_field";

interface Props {
  page: string;
  parameters: Parameters;
  session: Session;
  /** put before the names of parameters, for a second selection */
  prefix?: string;
  /** whether the page shows one function, so that only conditions on calls apply */
  isOfFunction?: boolean;
}

export function FilterBar({ page, parameters, session, prefix = "", isOfFunction = false }: Props) {
  const value = (key: string) => parameters[prefix + key];
  const set = (changes: Record<string, string | number | undefined>) => {
    const named = Object.fromEntries(Object.entries(changes).map(([key, each]) => [prefix + key, each]));
    location.hash = address(page, { ...parameters, ...named, offset: undefined });
  };
  const services = session.store
    ? session.store.services.map((service) => service.name)
    : [...new Set(session.traces.map((trace) => trace.service).filter(Boolean))];
  return (
    <div class="filters" role="group" aria-label={prefix ? "Filters of the second selection" : "Filters"}>
      {isOfFunction || session.store ? null : (
        <>
          <TextField label="Include" placeholder="e.g. store.*" value={value("include")} set={(include) => set({ include })} />
          <TextField label="Exclude" value={value("exclude")} set={(exclude) => set({ exclude })} />
        </>
      )}
      {session.store ? null : <DurationField label="Min duration" value={value("min_duration")} set={(ns) => set({ min_duration: ns })} />}
      {isOfFunction ? null : services.length > 1 || value("service") ? (
        <label class="field">
          Service
          <select value={value("service") ?? ""} onChange={(event) => set({ service: event.currentTarget.value })}>
            <option value="">all</option>
            {services.map((service) => <option key={service} value={service}>{service}</option>)}
          </select>
        </label>
      ) : null}
      {session.store && !isOfFunction ? null : (
        <label class="check">
          <input type="checkbox" checked={value("errors") === "1"} onChange={(event) => set({ errors: event.currentTarget.checked ? "1" : undefined })} />
          Failed only
        </label>
      )}
      {isOfFunction ? null : <Range from={value("from")} to={value("to")} duration={session.duration_ns} clear={() => set({ from: undefined, to: undefined })} />}
      {!isOfFunction && value("tracks") ? (
        <button type="button" class="chip" onClick={() => set({ tracks: undefined })}>{value("tracks")!.split(",").length === 1 ? `track ${value("tracks")}` : `${value("tracks")!.split(",").length} tracks`} ×</button>
      ) : null}
      {!isOfFunction && FILTERS.some((key) => value(key)) ? (
        <button type="button" onClick={() => set(Object.fromEntries(FILTERS.map((key) => [key, undefined])))}>Clear</button>
      ) : null}
    </div>
  );
}

function Range({ from, to, duration: whole, clear }: { from: string | undefined; to: string | undefined; duration: number; clear: () => void }) {
  if (from === undefined && to === undefined) return null;
  const [first, last] = [Number(from ?? 0), Number(to ?? whole)];
  return <button type="button" class="chip" title="Remove the range of time" onClick={clear}>{moment(first, last - first)} + {duration(last - first)} ×</button>;
}
