/** Filters of the timeline, and what can be done with a selected range. */
import { TextField } from "../parts/text_field";
import { address, filtersOf, type Parameters } from "../route";
import { duration, moment } from "../units";
import type { Range } from "./scene";
import type { Tracks } from "./tracks";
import type { Viewport } from "./viewport";
import type { WindowCache } from "./window_cache";

interface Props {
  parameters: Parameters;
  keep: (changes: Record<string, string | undefined>) => void;
  cache: WindowCache;
  tracks: Tracks;
  viewport: Viewport;
  settled: Range | null;
}

export function Toolbar({ parameters, keep, cache, tracks, viewport, settled }: Props) {
  const filters = { ...filtersOf(parameters), from: settled?.from, to: settled?.to };
  return (
    <div class="toolbar">
      <h1 class="visually-hidden">Timeline</h1>
      <TextField label="Tracks" value={parameters["q"]} set={(q) => keep({ q })} />
      <TextField label="Highlight" value={parameters["find"]} set={(find) => keep({ find })} />
      <label class="check">
        <input type="checkbox" checked={parameters["errors"] === "1"} onChange={(event) => keep({ errors: event.currentTarget.checked ? "1" : undefined })} />
        Failed only
      </label>
      <label class="check">
        <input type="checkbox" checked={parameters["shown"] === "range"} onChange={(event) => keep({ shown: event.currentTarget.checked ? "range" : undefined })} />
        Active in this range
      </label>
      {parameters["tracks"] ? <button type="button" onClick={() => keep({ tracks: undefined })}>All tracks</button> : null}
      <span class="stretch" />
      {cache.loading || tracks.loading ? <span class="spinner" role="status" aria-label="Loading" /> : null}
      {settled ? <span class="muted nowrap">{moment(Math.max(settled.from, 0), (settled.to - settled.from) / 1000)} · {duration(settled.to - settled.from)}</span> : null}
      <button type="button" onClick={() => viewport.showAll()}>Show all</button>
      <a class="action" href={address("flame", filters)}>Flame graph</a>
      <a class="action" href={address("calls", filters)}>Calls</a>
    </div>
  );
}

export function RangeBar({ range, viewport, parameters, close }: { range: Range; viewport: Viewport; parameters: Parameters; close: () => void }) {
  const filters = { ...filtersOf(parameters), from: range.from, to: range.to };
  const zoom = () => {
    viewport.show(range.from, range.to);
    close();
  };
  return (
    <div class="range-bar" role="group" aria-label="Selected range">
      <strong>{duration(range.to - range.from)}</strong>
      <button type="button" onClick={zoom}>Zoom</button>
      <a class="action" href={address("flame", filters)}>Flame graph</a>
      <a class="action" href={address("calls", filters)}>Calls</a>
      <button type="button" onClick={close}>Clear</button>
    </div>
  );
}
