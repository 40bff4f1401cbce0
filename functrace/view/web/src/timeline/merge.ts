/** Merging of slices that are narrower than a pixel, as the server does it. */
import { Flag, type Row } from "../api_types";

/** Merge neighbours that are narrower than `pixel_ns` and share a pixel. */
export function mergeNarrow(row: Row, pixel_ns: number): Row {
  const merged: Row = { depth: row.depth, start: [], duration: [], function: [], flags: [], calls: [] };
  let longest = 0;
  for (let index = 0; index < row.start.length; index++) {
    const start = row.start[index]!;
    const duration = row.duration[index]!;
    const flags = row.flags[index]!;
    const last = merged.start.length - 1;
    if (last >= 0 && duration < pixel_ns && start + duration - merged.start[last]! < pixel_ns) {
      merged.duration[last] = start + duration - merged.start[last]!;
      merged.calls[last]! += row.calls[index]!;
      merged.flags[last]! |= flags | Flag.merged;
      if (duration > longest) {
        merged.function[last] = row.function[index]!;
        longest = duration;
      }
      continue;
    }
    longest = duration;
    merged.start.push(start);
    merged.duration.push(duration);
    merged.function.push(row.function[index]!);
    merged.flags.push(flags);
    merged.calls.push(row.calls[index]!);
  }
  return merged;
}
