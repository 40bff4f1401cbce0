/** Numbers with units, as the terminal prints them (functrace/units.py). */

const UNITS: [string, number][] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
];
const SIZES: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Format a duration with three digits: `1.23ms`, `45.6µs`, `789ns`. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return "–";
  if (ns < 0) return `-${duration(-ns)}`;
  for (const [unit, size] of UNITS) {
    if (ns >= size) {
      const value = ns / size;
      return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + unit;
    }
  }
  return `${Math.round(ns)}ns`;
}

/** Format a count with thousands separators; … if it is not known yet. */
export function count(number: number | null): string {
  return number === null ? "…" : number.toLocaleString("en-US");
}

/** Format a counted noun: `1 call`, `2,000 calls`. */
export function several(number: number, noun: string): string {
  return `${count(number)} ${number === 1 ? noun : `${noun}s`}`;
}

/** Format `part` as a percentage of `whole`. */
export function share(part: number, whole: number): string {
  if (part > 0 && part < whole * 0.0005) return "<0.1%";
  return whole ? `${((100 * part) / whole).toFixed(1)}%` : "–";
}

/** Format a time since the start of the trace with as many decimals as `step_ns` requires. */
export function moment(ns: number, step_ns = 1000): string {
  const decimals = Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(Math.max(step_ns, 1)))));
  return `${(ns / 1e9).toFixed(decimals)}s`;
}

/** Format a duration without rounding, so that parsing it returns the same: `1500us`. */
export function exactDuration(ns: number): string {
  const [unit, size] = Object.entries({ s: 1e9, ms: 1e6, us: 1e3 }).find(([, each]) => ns % each === 0) ?? ["ns", 1];
  return `${ns / size}${unit}`;
}

/** Parse `1.5ms`, `20us` or `0` to nanoseconds; null for any other text. */
export function parseDuration(text: string): number | null {
  const found = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)$/.exec(text.trim());
  if (found) return Math.round(Number(found[1]) * (SIZES[found[2]!] ?? 0));
  return /^0+(\.0*)?$/.test(text.trim()) ? 0 : null;
}
