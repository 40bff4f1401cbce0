/** Drawing of slices on a canvas. */
import { Flag, type FunctionPlace } from "../api_types";
import { type Colours, shadeOf } from "./colours";
import { type Lane, ROW_HEIGHT } from "./lanes";
import { firstFrom, type SliceRow, type Slices } from "./slices";
import type { WindowCache } from "./window_cache";

const TEXT_FROM_PX = 34;
const TEXT_PADDING = 4;
/** A slice is drawn so far beyond the canvas, whose edge is then not mistaken for its end. */
const BEYOND_PX = 20;
const SLICE_HEIGHT = ROW_HEIGHT - 1;
const FAILURE_MARK = 5;
/** A call that was suspended for a part of its time is hatched along its lower edge. */
const SUSPENDED_BAND = 4;
export const FONT = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";

/** The part of the timeline that a canvas shows: times across, heights downwards. */
export interface Area {
  from: number;
  to: number;
  top: number;
  width: number;
  height: number;
}

export class Painter {
  private shades = new Map<number, number>();
  private widths = new Map<string, number>();
  private hatch: CanvasPattern | null = null;

  constructor(
    readonly context: CanvasRenderingContext2D,
    private readonly cache: WindowCache,
    private readonly colours: Colours,
    /** lower-case part of the names that are not dimmed */
    private readonly find: string,
  ) {
    this.hatch = hatching(context, colours.hatch);
  }

  paint(lanes: Lane[], area: Area): void {
    const { context } = this;
    context.clearRect(0, 0, area.width, area.height);
    context.font = FONT;
    context.textBaseline = "middle";
    for (const lane of lanes) this.paintLane(lane, area);
  }

  /** Draw again the slices that began before the area, so that their names are at its edge. */
  paintEntering(lanes: Lane[], area: Area): void {
    const { context } = this;
    context.font = FONT;
    context.textBaseline = "middle";
    for (const lane of lanes) {
      const loaded = lane.track && this.cache.get(lane.track.id);
      for (const row of loaded?.fine.rows ?? []) {
        const index = firstFrom(row, area.from);
        const isEntering = row.depth < lane.rows && index < row.start.length && row.start[index]! < area.from;
        if (!isEntering) continue;
        const right = Math.min(((row.start[index]! + row.duration[index]! - area.from) * area.width) / (area.to - area.from), area.width + BEYOND_PX);
        if (right > TEXT_FROM_PX) this.paintSlice(row, index, 0, lane.top - area.top + 3 + row.depth * ROW_HEIGHT, right - 0.5);
      }
    }
  }

  private paintLane(lane: Lane, area: Area): void {
    const y = lane.top - area.top;
    const { context, colours } = this;
    if (!lane.track) {
      context.fillStyle = colours.group;
      context.fillRect(0, y, area.width, lane.height);
      return;
    }
    context.fillStyle = colours.line;
    context.fillRect(0, y + lane.height - 1, area.width, 1);
    this.paintLife(lane, area, y);
    const loaded = this.cache.get(lane.track.id);
    if (!loaded) return;
    const { fine, wide } = loaded;
    this.paintSlices(fine, lane, area, y, Math.max(fine.from, area.from), Math.min(fine.to, area.to));
    if (wide === fine) return;
    if (area.from < fine.from) this.paintSlices(wide, lane, area, y, area.from, Math.min(fine.from, area.to));
    if (area.to > fine.to) this.paintSlices(wide, lane, area, y, Math.max(fine.to, area.from), area.to);
  }

  /** A thin line from the start of the track to its end. */
  private paintLife(lane: Lane, area: Area, y: number): void {
    const track = lane.track!;
    const scale = area.width / (area.to - area.from);
    const left = Math.max((track.start_ns - area.from) * scale, 0);
    const right = Math.min((track.end_ns - area.from) * scale, area.width);
    if (right < left) return;
    this.context.fillRect(left, y + 3 + SLICE_HEIGHT / 2, Math.max(right - left, 1), 1);
  }

  private paintSlices(slices: Slices, lane: Lane, area: Area, y: number, from: number, to: number): void {
    if (from >= to) return;
    const { context } = this;
    const scale = area.width / (area.to - area.from);
    context.save();
    context.beginPath();
    context.rect((from - area.from) * scale, y, (to - from) * scale, lane.height);
    context.clip();
    for (const row of slices.rows) {
      if (row.depth < lane.rows) this.paintRow(row, area, y + 3 + row.depth * ROW_HEIGHT, from, to);
    }
    context.restore();
  }

  private paintRow(row: SliceRow, area: Area, y: number, from: number, to: number): void {
    const scale = area.width / (area.to - area.from);
    for (let index = firstFrom(row, from); index < row.start.length && row.start[index]! <= to; index++) {
      const left = (row.start[index]! - area.from) * scale;
      const width = row.duration[index]! * scale;
      const x = Math.max(left, -BEYOND_PX);
      const right = Math.min(left + width, area.width + BEYOND_PX);
      this.paintSlice(row, index, x, y, Math.max(right - x - (width > 3 ? 0.5 : 0), 1));
    }
  }

  private paintSlice(row: SliceRow, index: number, x: number, y: number, width: number): void {
    const { context, colours } = this;
    const flags = row.flags[index]!;
    const place = this.cache.functions.get(row.function[index]!);
    const isDimmed = this.find !== "" && !(place && place.name.toLowerCase().includes(this.find));
    const failed = flags & Flag.panicked ? colours.panicked : flags & Flag.failed ? colours.failed : null;
    const isMerged = (flags & Flag.merged) !== 0;
    context.fillStyle = isDimmed ? colours.dimmed : failed && !isMerged ? failed : this.fillOf(row.function[index]!, place);
    context.fillRect(x, y, width, SLICE_HEIGHT);
    if (failed && isMerged && !isDimmed) {
      context.fillStyle = failed;
      context.fillRect(x, y + SLICE_HEIGHT - FAILURE_MARK, width, FAILURE_MARK);
    }
    if (flags & Flag.suspended && this.hatch) {
      context.fillStyle = this.hatch;
      context.fillRect(x, y + SLICE_HEIGHT - SUSPENDED_BAND, width, SUSPENDED_BAND);
    }
    if (flags & Flag.unfinished && width > 6) {
      context.fillStyle = colours.background;
      for (let edge = 0; edge < 3; edge++) context.fillRect(x + width - 2 - edge * 4, y, 1.5, SLICE_HEIGHT);
    }
    if (width > TEXT_FROM_PX && place) this.paintName(place, x, y, width, isDimmed ? colours.muted : failed && !isMerged ? colours.onFailed : colours.text);
  }

  private fillOf(id: number, place: FunctionPlace | undefined): string {
    let shade = this.shades.get(id);
    if (shade === undefined) {
      if (!place) return this.colours.dimmed;
      shade = shadeOf(place.name);
      this.shades.set(id, shade);
    }
    return this.colours.functions[shade]!;
  }

  private paintName(place: FunctionPlace, x: number, y: number, width: number, colour: string): void {
    const text = this.fit(place.name, width - 2 * TEXT_PADDING);
    if (!text) return;
    this.context.fillStyle = colour;
    this.context.fillText(text, x + TEXT_PADDING, y + SLICE_HEIGHT / 2 + 0.5);
  }

  /** Return the text; if it is too wide, without its path, without its package, or cut. */
  private fit(text: string, width: number): string {
    const whole = this.measure(text);
    if (whole <= width) return text;
    const letters = Math.floor((text.length * width) / whole) - 1;
    if (letters < 3) return "";
    const isRoute = text.includes(" ");
    const inPackage = isRoute ? text : text.slice(text.lastIndexOf("/") + 1);
    if (inPackage.length <= letters) return inPackage;
    const short = isRoute ? text : inPackage.slice(inPackage.lastIndexOf(".") + 1);
    return short.length <= letters ? short : `${short.slice(0, letters - 1)}…`;
  }

  private measure(text: string): number {
    let width = this.widths.get(text);
    if (width === undefined) {
      width = this.context.measureText(text.slice(0, 300)).width;
      this.widths.set(text, width);
    }
    return width;
  }
}

function hatching(context: CanvasRenderingContext2D, colour: string): CanvasPattern | null {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d")!;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const offset of [-8, 0, 8]) {
    pen.moveTo(offset - 1, 9);
    pen.lineTo(offset + 9, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}
