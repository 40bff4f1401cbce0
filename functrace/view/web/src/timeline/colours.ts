/** Colours of the timeline and of flame graphs, from the variables of the style sheet. */

export interface Colours {
  functions: string[];
  dimmed: string;
  failed: string;
  panicked: string;
  text: string;
  onFailed: string;
  muted: string;
  line: string;
  background: string;
  group: string;
  accent: string;
  selection: string;
  hatch: string;
  more: string;
  less: string;
}

const SHADES = 8;

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    functions: Array.from({ length: SHADES }, (_, index) => read(`slice-${index}`)),
    dimmed: read("slice-dimmed"),
    failed: read("bad-fill"),
    panicked: read("panic-fill"),
    text: read("slice-text"),
    onFailed: read("bad-text"),
    muted: read("muted"),
    line: read("line"),
    background: read("background"),
    group: read("raised"),
    accent: read("accent"),
    selection: read("selection"),
    hatch: read("hatch"),
    more: read("more"),
    less: read("less"),
  };
}

/** Return the shade of a function: one for each package, so that neighbours of another package differ. */
export function shadeOf(name: string): number {
  const dot = name.lastIndexOf(".");
  return hash(dot > 0 ? name.slice(0, dot) : name) % SHADES;
}

function hash(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  return value >>> 8;
}
