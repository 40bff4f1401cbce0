/** Arrows from a call to the track that it started, or to the call that received its request. */
import type { Arrow } from "../api_types";
import type { Colours } from "./colours";
import { type Lane, ROW_HEIGHT } from "./lanes";
import type { Viewport } from "./viewport";

const HEAD = 4;
const FAR_PX = 20_000;

export function paintArrows(context: CanvasRenderingContext2D, arrows: Arrow[], lanes: Map<number, Lane>, viewport: Viewport, colours: Colours): void {
  for (const arrow of arrows) {
    const start = lanes.get(arrow.from_track);
    const end = lanes.get(arrow.to_track);
    if (!start || !end) continue;
    const from = { x: viewport.x(arrow.from_ns), y: start.top - viewport.scroll + 3 + ROW_HEIGHT / 2 };
    const to = { x: viewport.x(arrow.to_ns), y: end.top - viewport.scroll + 3 + ROW_HEIGHT / 2 };
    const isHidden = arrow.kind === "child" && (to.y < 0 || to.y > viewport.height); // a parent may have thousands
    if (isHidden || isOutside(from, to, viewport)) continue;
    context.strokeStyle = context.fillStyle = arrow.kind === "child" ? colours.muted : arrow.failed ? colours.failed : colours.accent;
    context.globalAlpha = arrow.kind === "child" ? 0.6 : 0.9;
    paintArrow(context, from, to);
    context.globalAlpha = 1;
  }
}

interface Point {
  x: number;
  y: number;
}

function isOutside(from: Point, to: Point, { width, height }: Viewport): boolean {
  return (
    Math.max(from.x, to.x) < 0 || Math.min(from.x, to.x) > width || Math.max(from.y, to.y) < 0 || Math.min(from.y, to.y) > height || Math.abs(from.x) + Math.abs(to.x) > FAR_PX
  );
}

function paintArrow(context: CanvasRenderingContext2D, from: Point, to: Point): void {
  const bend = Math.min(30, Math.abs(to.y - from.y) / 2);
  context.lineWidth = 1.2;
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.bezierCurveTo(from.x + bend, from.y, to.x - bend, to.y, to.x, to.y);
  context.stroke();
  context.beginPath();
  context.moveTo(to.x, to.y);
  context.lineTo(to.x - HEAD - 1, to.y - HEAD);
  context.lineTo(to.x - HEAD - 1, to.y + HEAD);
  context.fill();
}
