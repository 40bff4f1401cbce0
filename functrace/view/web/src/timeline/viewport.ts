/** The visible part of the timeline: a range of time across, tracks downwards. */

const MIN_SPAN_NS = 20;
/** How far beyond the trace one may move, as a share of the visible range. */
const OVERSHOOT = 0.2;

export class Viewport {
  scroll = 0;
  width = 1;
  height = 1;
  private listeners = new Set<() => void>();

  from: number;
  to: number;

  /** Make a viewport that shows all, from the first call to the last. */
  constructor(
    public begin: number,
    public end: number,
  ) {
    this.from = begin;
    this.to = end;
    this.showAll();
  }

  /** Whether nothing is before or after what is shown. */
  get isAll(): boolean {
    return this.from <= this.begin && this.to >= this.end;
  }

  showAll(): void {
    this.show(this.begin, this.end);
  }

  /** Nanoseconds of a pixel. */
  get pixel(): number {
    return (this.to - this.from) / this.width;
  }

  get span(): number {
    return this.to - this.from;
  }

  x(ns: number): number {
    return (ns - this.from) / this.pixel;
  }

  time(x: number): number {
    return this.from + x * this.pixel;
  }

  show(from: number, to: number): void {
    const longest = Math.max(this.end - this.begin, MIN_SPAN_NS) * (1 + OVERSHOOT);
    const span = Math.min(Math.max(to - from, MIN_SPAN_NS), longest);
    const earliest = this.begin - span * OVERSHOOT;
    const latest = this.end + span * (OVERSHOOT - 1);
    const first = Math.max(Math.min((from + to - span) / 2, latest), earliest);
    if (first === this.from && first + span === this.to) return; // at the limit of zooming or moving
    this.from = first;
    this.to = first + span;
    this.changed();
  }

  move(ns: number): void {
    this.show(this.from + ns, this.to + ns);
  }

  /** Zoom so that the time at `x` stays where it is; a factor below 1 shows more detail. */
  zoom(factor: number, x: number): void {
    const fixed = this.time(x);
    const from = fixed - (fixed - this.from) * factor;
    this.show(from, from + this.span * factor);
  }

  resize(width: number, height: number): void {
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
    this.changed();
  }

  scrollTo(scroll: number): void {
    this.scroll = scroll;
    this.changed();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }
}
