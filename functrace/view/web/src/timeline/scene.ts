/** The canvas of the timeline. Slices are drawn once on a backing canvas of three screens, two wide; panning copies from it. */
import type { Arrow } from "../api_types";
import { paintArrows } from "./arrows";
import { type Colours, readColours } from "./colours";
import { type Lane, lanesBetween, ROW_HEIGHT } from "./lanes";
import { type Area, FONT, Painter } from "./painter";
import { ticks } from "./ruler";
import type { Viewport } from "./viewport";
import type { WindowCache } from "./window_cache";

const SETTLED_MS = 120;
/** Part of a screen that the backing canvas has on both sides. A wider one takes memory, and as long to draw for each screen that is panned. */
const MARGIN = 0.5;

/** A call, by its track, start and depth. */
export interface Place {
  track: number;
  start: number;
  depth?: number;
  duration?: number;
}

export interface Range {
  from: number;
  to: number;
}

export class Scene {
  lanes: Lane[] = [];
  arrows: Arrow[] = [];
  selected: Place | null = null;
  range: Range | null = null;
  find = "";
  private byTrack = new Map<number, Lane>();
  private backing = document.createElement("canvas");
  private painter: Painter;
  private edgePainter: Painter;
  private colours: Colours;
  private area: Area | null = null;
  private drawn = { pixel: 0, version: -1 };
  private frame = 0;
  private isClosed = false;
  private zoomedAt = 0;
  private lastPixel = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly viewport: Viewport,
    private readonly cache: WindowCache,
    private readonly onFrame: () => void,
  ) {
    this.colours = readColours();
    [this.painter, this.edgePainter] = this.newPainters();
  }

  /** Take other lanes, another theme or another text to find: draw all anew. */
  reset(lanes = this.lanes): void {
    this.lanes = lanes;
    this.byTrack = new Map(lanes.flatMap((lane) => (lane.track ? [[lane.track.id, lane]] : [])));
    this.colours = readColours();
    [this.painter, this.edgePainter] = this.newPainters();
    this.area = null;
    this.draw();
  }

  laneOf(track: number): Lane | undefined {
    return this.byTrack.get(track);
  }

  visibleLanes(): Lane[] {
    return lanesBetween(this.lanes, this.viewport.scroll, this.viewport.scroll + this.viewport.height);
  }

  /** Draw in the next frame. */
  draw(): void {
    if (!this.frame && !this.isClosed) this.frame = requestAnimationFrame(() => this.drawNow());
  }

  close(): void {
    this.isClosed = true;
    cancelAnimationFrame(this.frame);
  }

  private newPainters(): [Painter, Painter] {
    const on = (canvas: HTMLCanvasElement) => new Painter(canvas.getContext("2d")!, this.cache, this.colours, this.find.toLowerCase());
    return [on(this.backing), on(this.canvas)];
  }

  private drawNow(): void {
    this.frame = 0;
    const { viewport, canvas } = this;
    const ratio = devicePixelRatio || 1;
    fitCanvas(canvas, viewport.width, viewport.height, ratio);
    const area = this.backingArea(ratio);
    const context = canvas.getContext("2d")!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const left = Math.round(((viewport.from - area.from) / viewport.pixel) * ratio);
    const top = Math.round((viewport.scroll - area.top) * ratio);
    context.drawImage(this.backing, left, top, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.edgePainter.paintEntering(this.visibleLanes(), { ...viewport, top: viewport.scroll });
    this.drawOverlays(context);
    this.onFrame();
  }

  /** Return the area that the backing canvas shows, drawn anew if it does not contain the viewport. */
  private backingArea(ratio: number): Area {
    const { viewport, area, cache } = this;
    const isFit =
      area !== null &&
      Math.abs(this.drawn.pixel / viewport.pixel - 1) < 1e-9 &&
      this.drawn.version === cache.version &&
      area.from <= viewport.from &&
      area.to >= viewport.to &&
      area.top <= viewport.scroll &&
      area.top + area.height >= viewport.scroll + viewport.height;
    return isFit ? area : this.paintBacking(ratio);
  }

  private paintBacking(ratio: number): Area {
    const { viewport } = this;
    const margin = this.isZooming() ? 0 : MARGIN;
    const area = {
      from: viewport.from - viewport.span * margin,
      to: viewport.to + viewport.span * margin,
      top: Math.max(viewport.scroll - (viewport.height * margin) / 2, 0),
      width: viewport.width * (1 + 2 * margin),
      height: viewport.height * (1 + margin),
    };
    fitCanvas(this.backing, area.width, area.height, ratio);
    this.painter.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.painter.paint(lanesBetween(this.lanes, area.top, area.top + area.height), area);
    this.area = area;
    this.drawn = { pixel: viewport.pixel, version: this.cache.version };
    return area;
  }

  /** Return whether the scale is changing, so that a margin would be drawn in vain. */
  private isZooming(): boolean {
    const now = performance.now();
    if (this.viewport.pixel !== this.lastPixel) this.zoomedAt = now;
    this.lastPixel = this.viewport.pixel;
    return now - this.zoomedAt < SETTLED_MS;
  }

  private drawOverlays(context: CanvasRenderingContext2D): void {
    const { viewport, colours } = this;
    context.fillStyle = colours.line;
    context.globalAlpha = 0.6;
    for (const tick of ticks(viewport.from, viewport.to, viewport.width)) context.fillRect(Math.round(viewport.x(tick.ns)), 0, 1, viewport.height);
    context.globalAlpha = 1;
    this.drawOutside(context);
    paintArrows(context, this.arrows, this.byTrack, viewport, colours);
    if (this.selected) this.drawSelected(context, this.selected);
    if (this.range) this.drawRange(context, this.range);
  }

  /** Shade what is before and after the trace. */
  private drawOutside(context: CanvasRenderingContext2D): void {
    const { viewport } = this;
    context.fillStyle = this.colours.group;
    const before = viewport.x(viewport.begin);
    if (before > 0) context.fillRect(0, 0, before, viewport.height);
    const after = viewport.x(viewport.end);
    if (after < viewport.width) context.fillRect(after, 0, viewport.width - after, viewport.height);
  }

  private drawSelected(context: CanvasRenderingContext2D, place: Place): void {
    const lane = this.byTrack.get(place.track);
    if (!lane) return;
    const depth = Math.min(place.depth ?? 0, lane.rows - 1);
    const y = lane.top - this.viewport.scroll + 3 + depth * ROW_HEIGHT;
    const x = Math.max(this.viewport.x(place.start), -4);
    const right = Math.min(this.viewport.x(place.start + (place.duration ?? 0)), this.viewport.width + 4);
    context.strokeStyle = this.colours.selection;
    context.lineWidth = 2;
    context.strokeRect(x - 1, y - 1, Math.max(right - x, 2) + 2, ROW_HEIGHT + 1);
  }

  private drawRange(context: CanvasRenderingContext2D, range: Range): void {
    const x = this.viewport.x(range.from);
    const width = this.viewport.x(range.to) - x;
    context.fillStyle = this.colours.accent;
    context.globalAlpha = 0.15;
    context.fillRect(x, 0, width, this.viewport.height);
    context.globalAlpha = 1;
    context.fillRect(x, 0, 1, this.viewport.height);
    context.fillRect(x + width, 0, 1, this.viewport.height);
  }
}

export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
}

/** Draw the time axis. */
export function paintRuler(canvas: HTMLCanvasElement, viewport: Viewport): void {
  const ratio = devicePixelRatio || 1;
  const height = canvas.clientHeight;
  fitCanvas(canvas, viewport.width, height, ratio);
  const context = canvas.getContext("2d")!;
  const style = getComputedStyle(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, viewport.width, height);
  context.font = FONT;
  context.fillStyle = style.color;
  context.textBaseline = "middle";
  for (const tick of ticks(viewport.from, viewport.to, viewport.width)) {
    const x = Math.round(viewport.x(tick.ns));
    context.fillRect(x, height - 5, 1, 5);
    context.fillText(tick.label, x + 4, height / 2);
  }
}
