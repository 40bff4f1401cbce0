/** Slices that were loaded from the server. The visible range comes first, then a screen on both sides of it. */
import { type Query, request } from "../api";
import { Flag, type FunctionPlace, type Window } from "../api_types";
import type { Lane } from "./lanes";
import { compact, type Slices } from "./slices";
import type { Viewport } from "./viewport";

const PAUSE_MS = 25;
const MARGIN_PAUSE_MS = 150;
const TRACKS_PER_REQUEST = 16;
const MAX_REQUESTS = 2;
/** Slices that are kept, of some 25 bytes each: several times as many as a screen shows. */
const MAX_SLICES = 600_000;
/** Calls narrower than about this many pixels are merged. */
const FINEST_PX = 1.5;
const MOST_PX = 8000;

interface Wanted {
  from: number;
  to: number;
  pixel: number;
}

interface Loaded {
  /** newest, at the resolution of the screen */
  fine: Slices;
  /** widest, shown where the newest has nothing */
  wide: Slices;
}

export class WindowCache {
  readonly functions = new Map<number, FunctionPlace>();
  command: string | undefined;
  error: string | null = null;
  loading = 0;
  /** Changes whenever slices arrive. */
  version = 0;
  private loaded = new Map<number, Loaded>();
  private timer = 0;
  private inFlight = new Map<number, { wanted: Wanted; abort: AbortController }>();
  private serial = 0;

  constructor(
    private readonly viewport: Viewport,
    private readonly changed: () => void,
  ) {}

  get(track: number): Loaded | undefined {
    return this.loaded.get(track);
  }

  /** Load what the lanes need, after a short pause. */
  ask(lanes: Lane[], filters: Query): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.load(lanes, filters), PAUSE_MS);
  }

  /** Forget the resolution of all slices, so that they are loaded again but shown until then. */
  refresh(): void {
    for (const { fine } of this.loaded.values()) fine.pixel = 0;
  }

  close(): void {
    window.clearTimeout(this.timer);
    for (const { abort } of this.inFlight.values()) abort.abort();
  }

  private load(lanes: Lane[], filters: Query): void {
    const { from, to, span, pixel, end } = this.viewport;
    const resolution = 2 ** Math.round(Math.log2(FINEST_PX * pixel));
    const within = (low: number, high: number): Wanted => ({
      from: Math.floor(Math.max(low, 0)),
      to: Math.ceil(Math.min(Math.max(high, 1), end + 1)),
      pixel: resolution,
    });
    for (const { wanted, abort } of this.inFlight.values()) if (wanted.pixel !== resolution) abort.abort();
    const visible = this.missing(lanes, within(from, to));
    if (visible.length) return this.send(visible, within(from, to), lanes, filters);
    const near = this.missing(lanes, within(from - span / 2, to + span / 2));
    if (!near.length || this.inFlight.size) return;
    this.timer = window.setTimeout(() => this.send(near, within(from - span, to + span), lanes, filters), MARGIN_PAUSE_MS);
  }

  private missing(lanes: Lane[], wanted: Wanted): Lane[] {
    return lanes.filter((lane) => {
      if (!lane.track) return false;
      const fine = this.loaded.get(lane.track.id)?.fine;
      const from = Math.max(wanted.from, Math.floor(lane.track.start_ns));
      const to = Math.min(wanted.to, Math.ceil(lane.track.end_ns));
      if (from > to) return false;
      return !fine || fine.pixel !== wanted.pixel || fine.from > from || fine.to < to || fine.depth < lane.rows;
    });
  }

  private send(missing: Lane[], wanted: Wanted, lanes: Lane[], filters: Query): void {
    if (this.inFlight.size >= MAX_REQUESTS) return; // the end of a request asks again
    const now = missing.slice(0, TRACKS_PER_REQUEST);
    const depth = Math.max(...now.map((lane) => lane.rows));
    const abort = new AbortController();
    const serial = this.serial++;
    this.inFlight.set(serial, { wanted, abort });
    const query = {
      ...filters,
      from: wanted.from,
      to: wanted.to,
      px: Math.min(Math.max(1, Math.round((wanted.to - wanted.from) / wanted.pixel)), MOST_PX),
      tracks: now.map((lane) => lane.track!.id).join(","),
      depth,
    };
    request<Window>("window", query, abort.signal)
      .then((answer) => this.keep(answer, now, wanted, depth))
      .catch((error: Error) => {
        if (!abort.signal.aborted) this.error = error.message;
      })
      .finally(() => {
        this.inFlight.delete(serial);
        this.loading = this.inFlight.size;
        this.changed();
        if (!this.error) this.ask(lanes, filters);
      });
    this.loading = this.inFlight.size;
    this.changed();
  }

  private keep(answer: Window, asked: Lane[], wanted: Wanted, depth: number): void {
    for (const [id, place] of Object.entries(answer.functions)) this.functions.set(Number(id), place);
    this.command = answer.command ?? this.command;
    this.error = null;
    const rows = new Map(answer.tracks.map((track) => [track.id, track.rows]));
    for (const lane of asked) {
      const id = lane.track!.id;
      const flags = lane.trace?.language === "python" ? ~Flag.panicked : 255; // an exception is a failure there
      const fine = compact(rows.get(id) ?? [], { ...wanted, depth }, flags);
      const before = this.loaded.get(id);
      const wide = before && before.wide.to - before.wide.from > fine.to - fine.from ? before.wide : fine;
      this.loaded.delete(id); // the newest are last
      this.loaded.set(id, { fine, wide });
    }
    this.forgetOldest();
    this.version++;
  }

  private forgetOldest(): void {
    let size = 0;
    for (const each of this.loaded.values()) size += sizeOf(each);
    for (const [id, each] of this.loaded) {
      if (size <= MAX_SLICES) return;
      this.loaded.delete(id);
      size -= sizeOf(each);
    }
  }
}

function sizeOf({ fine, wide }: Loaded): number {
  return fine.size + (wide === fine ? 0 : wide.size);
}
