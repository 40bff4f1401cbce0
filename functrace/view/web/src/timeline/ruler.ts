/** Ticks of the time axis. */

export interface Tick {
  ns: number;
  label: string;
}

const SPACING_PX = 110;

/** Return round times between `from` and `to`, about one for each 110 pixels. */
export function ticks(from: number, to: number, width: number): Tick[] {
  const step = roundStep(((to - from) * SPACING_PX) / Math.max(width, 1));
  const found: Tick[] = [];
  for (let ns = Math.ceil(from / step) * step; ns <= to; ns += step) found.push({ ns, label: label(ns, step) });
  return found;
}

function roundStep(ns: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(ns, 1)));
  const factor = [1, 2, 5, 10].find((each) => each * power >= ns) ?? 10;
  return Math.max(1, factor * power);
}

/** Return the time in the unit of the step, relative to the last whole second where steps are small. */
function label(ns: number, step: number): string {
  const [unit, size] = step >= 1e9 ? ["s", 1e9] : step >= 1e6 ? ["ms", 1e6] : step >= 1e3 ? ["µs", 1e3] : ["ns", 1];
  if (unit === "s") return `${Math.round(ns / 1e9)} s`;
  const seconds = Math.floor(ns / 1e9);
  const rest = (ns - seconds * 1e9) / (size as number);
  const text = `${Math.round(rest).toLocaleString("en-US")} ${unit}`;
  return seconds === 0 ? text : rest === 0 ? `${seconds} s` : `${seconds} s + ${text}`;
}
