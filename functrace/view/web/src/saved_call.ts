/** One call in full, put together from the slices of a saved page. */
import { type CallDetails, Flag, type Row, type TrackPage, type Window } from "./api_types";
import { firstFrom } from "./timeline/slices";

/** Return the call that starts then; its chain has the calls around it. Throws an Error if it was not saved. */
export function callFromSlices(whole: Window, page: TrackPage, query: URLSearchParams): CallDetails {
  const [track, start] = [Number(query.get("track")), Number(query.get("start"))];
  const rows = whole.tracks.find((each) => each.id === track)?.rows ?? [];
  const around = rows.flatMap((row) => stepAt(whole, row, start));
  const deepest = query.has("depth") ? Number(query.get("depth")) : Math.max(...around.filter((step) => step.start_ns === start).map((step) => step.depth));
  const chain = around.filter((step) => step.depth <= deepest);
  const call = chain[chain.length - 1];
  if (!call || call.depth !== deepest || chain.some((step) => step.isMerged)) throw new Error("this saved page does not contain the call; functrace view shows it");
  const info = page.tracks.find((each) => each.id === track);
  return {
    ...call,
    trace: info?.trace ?? 0,
    track,
    track_name: info?.name ?? String(track),
    self_ns: null,
    error: null,
    parent_function: chain[chain.length - 2]?.function ?? null,
    chain,
  };
}

function stepAt(whole: Window, row: Row, time: number) {
  const index = firstFrom(row, time);
  if (index >= row.start.length || row.start[index]! > time) return [];
  const place = whole.functions[String(row.function[index]!)];
  const flags = row.flags[index]!;
  return [{
    function: place?.name ?? "",
    file: place?.file ?? "",
    line: place?.line ?? 0,
    depth: row.depth,
    start_ns: row.start[index]!,
    duration_ns: row.duration[index]!,
    failed: (flags & Flag.failed) !== 0,
    panicked: (flags & Flag.panicked) !== 0,
    unfinished: (flags & Flag.unfinished) !== 0,
    isMerged: (flags & Flag.merged) !== 0,
  }];
}
