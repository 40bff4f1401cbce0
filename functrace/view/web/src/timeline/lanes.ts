/** Places of tracks on the page: one lane for each process and each track, downwards. */
import type { TraceInfo, Track } from "../api_types";

export const ROW_HEIGHT = 17;
const GROUP_HEIGHT = 26;
const GAP = 8;
const USUAL_DEPTH = 8;
const DEEPEST = 200;

export interface Lane {
  top: number;
  height: number;
  trace: TraceInfo | undefined;
  /** null for the heading of a process */
  track: Track | null;
  /** rows shown; more of them exist in the track if `isCut` */
  rows: number;
  isCut: boolean;
  /** number of ancestors that are shown, for the indentation */
  level: number;
}

export interface Folding {
  /** processes (`p1`) and tracks (`t7`) of which only the first row is shown */
  closed: ReadonlySet<string>;
  /** tracks of which all rows are shown */
  whole: ReadonlySet<string>;
}

export function groupKey(trace: number): string {
  return `p${trace}`;
}

export function trackKey(track: number): string {
  return `t${track}`;
}

export function placeLanes(tracks: Track[], traces: TraceInfo[], folding: Folding): Lane[] {
  const lanes: Lane[] = [];
  const levels = new Map<number, number>();
  const byId = new Map(traces.map((trace) => [trace.id, trace]));
  let top = 0;
  let group: number | null = null;
  for (const track of tracks) {
    const trace = byId.get(track.trace);
    if (track.trace !== group) {
      group = track.trace;
      lanes.push({ top, height: GROUP_HEIGHT, trace, track: null, rows: 0, isCut: false, level: 0 });
      top += GROUP_HEIGHT;
    }
    const level = track.parent === null ? 0 : (levels.get(track.parent) ?? -1) + 1;
    levels.set(track.id, level);
    if (folding.closed.has(groupKey(track.trace))) continue;
    const rows = rowsOf(track, folding);
    lanes.push({ top, height: rows * ROW_HEIGHT + GAP, trace, track, rows, isCut: rows < track.max_depth, level });
    top += rows * ROW_HEIGHT + GAP;
  }
  return lanes;
}

function rowsOf(track: Track, folding: Folding): number {
  const depth = Math.max(track.max_depth, 1);
  if (folding.closed.has(trackKey(track.id))) return 1;
  return Math.min(depth, folding.whole.has(trackKey(track.id)) ? DEEPEST : USUAL_DEPTH);
}

export function heightOf(lanes: Lane[]): number {
  const last = lanes[lanes.length - 1];
  return last ? last.top + last.height : 0;
}

/** Return the lanes between two heights. */
export function lanesBetween(lanes: Lane[], top: number, bottom: number): Lane[] {
  let low = 0;
  let high = lanes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lanes[middle]!.top + lanes[middle]!.height <= top) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < lanes.length && lanes[end]!.top < bottom) end++;
  return lanes.slice(low, end);
}
