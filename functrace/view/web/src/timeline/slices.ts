/** Slices of a track as the page keeps them: typed columns, and searches in them. */
import type { Row } from "../api_types";

export interface SliceRow {
  depth: number;
  start: Float64Array;
  duration: Float64Array;
  function: Uint32Array;
  flags: Uint8Array;
  calls: Uint32Array;
}

/** The slices of a track in a range of time, at a resolution of `pixel` nanoseconds. */
export interface Slices {
  from: number;
  to: number;
  pixel: number;
  depth: number;
  rows: SliceRow[];
  size: number;
}

const MAX_CALLS = 2 ** 32 - 1;

/** Keep rows as typed columns, without the flags that are not in `flags`. */
export function compact(rows: Row[], range: Omit<Slices, "rows" | "size">, flags = 255): Slices {
  const columns = rows.map((row) => ({
    depth: row.depth,
    start: Float64Array.from(row.start),
    duration: Float64Array.from(row.duration),
    function: Uint32Array.from(row.function),
    flags: Uint8Array.from(row.flags, (each) => each & flags),
    calls: Uint32Array.from(row.calls, (each) => Math.min(each, MAX_CALLS)),
  }));
  return { ...range, rows: columns, size: rows.reduce((sum, row) => sum + row.start.length, 0) };
}

/** Return the index of the first slice that ends at or after a time; slices of a row do not overlap. */
export function firstFrom(row: Pick<Row, "start" | "duration"> | SliceRow, time: number): number {
  let low = 0;
  let high = row.start.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row.start[middle]! + row.duration[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the index of the slice at a time, or of one within `tolerance`; -1 if there is none. */
export function sliceAt(row: SliceRow, time: number, tolerance: number): number {
  const index = firstFrom(row, time - tolerance);
  const inside = firstFrom(row, time);
  if (inside < row.start.length && row.start[inside]! <= time) return inside;
  return index < row.start.length && row.start[index]! <= time + tolerance ? index : -1;
}
