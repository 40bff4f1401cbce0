/** The canvas of a flame graph; a click makes a function as wide as the page. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Flame } from "../api_types";
import { isTyping } from "../keys";
import { useThemeRevision } from "../theme";
import { type Colours, readColours, shadeOf } from "../timeline/colours";
import { FONT } from "../timeline/painter";
import { fitCanvas } from "../timeline/scene";
import { count, duration, share, several } from "../units";
import { type Box, differenceOf, isComparison, type Measure, placeNodes } from "./layout";

const ROW = 19;
const NARROWEST_PX = 0.7;
const TEXT_FROM_PX = 30;
/** A difference of this share has the full colour. */
const STRONG = 0.1;

export function FlameCanvas({ flame, measure, find, choose }: { flame: Flame; measure: Measure; find: string; choose: (name: string) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const tooltip = useRef<HTMLDivElement>(null);
  const boxes = useMemo(() => placeNodes(flame, measure), [flame, measure]);
  const [top, setTop] = useState<Box | null>(null);
  const [width, setWidth] = useState(0);
  const theme = useThemeRevision();
  const levels = boxes.reduce((deepest, box) => Math.max(deepest, box.level), 0) + 1;
  useEffect(() => setTop(null), [boxes]);
  useEffect(() => {
    const element = canvas.current!;
    const resize = () => setWidth(element.clientWidth);
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    resize();
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width) paint(canvas.current!, boxes, { flame, measure, top, width, height: levels * ROW, find: find.toLowerCase() });
  }, [boxes, top, width, theme, find]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && !isTyping(event.target) && setTop(null);
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const at = (event: MouseEvent) => boxAt(boxes, top, event.offsetX / width, Math.floor(event.offsetY / ROW));
  return (
    <div class="flame">
      {top ? <p class="crumbs">{ancestors(top).map((box) => <button key={box.node.id} type="button" class="more" onClick={() => setTop(box)}>{box.node.function}</button>)}<button type="button" onClick={() => setTop(null)}>Show all</button></p> : null}
      <div class="flame-box">
        <canvas
          ref={canvas}
          style={{ height: `${levels * ROW}px` }}
          role="img"
          aria-label="Flame graph; the table below lists its functions"
          onClick={(event) => setTop(at(event))}
          onDblClick={(event) => { const box = at(event); if (box) choose(box.node.function); }}
          onPointerMove={(event) => showTooltip(tooltip.current!, at(event), flame, measure, event.offsetX, event.offsetY, width)}
          onPointerLeave={() => { tooltip.current!.hidden = true; }}
        />
        <div ref={tooltip} class="tooltip" hidden />
      </div>
    </div>
  );
}

function ancestors(box: Box): Box[] {
  const found = [box];
  for (let each = box.parent; each; each = each.parent) found.unshift(each);
  return found;
}

interface Scale {
  left: number;
  width: number;
}

function scaleOf(top: Box | null): Scale {
  return top ? { left: top.left, width: top.width || 1 } : { left: 0, width: 1 };
}

interface Drawing {
  flame: Flame;
  measure: Measure;
  top: Box | null;
  width: number;
  height: number;
  find: string;
}

function paint(canvas: HTMLCanvasElement, boxes: Box[], drawing: Drawing): void {
  const ratio = devicePixelRatio || 1;
  fitCanvas(canvas, drawing.width, drawing.height, ratio);
  const context = canvas.getContext("2d")!;
  const colours = readColours();
  const scale = scaleOf(drawing.top);
  const isCompared = isComparison(drawing.flame);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, drawing.width, drawing.height);
  context.font = FONT;
  context.textBaseline = "middle";
  for (const box of boxes) {
    const x = Math.max(((box.left - scale.left) / scale.width) * drawing.width, 0);
    const right = Math.min(((box.left + box.width - scale.left) / scale.width) * drawing.width, drawing.width);
    if (right - x < NARROWEST_PX) continue;
    const isDimmed = (drawing.find !== "" && !box.node.function.toLowerCase().includes(drawing.find)) || (drawing.top !== null && box.level < drawing.top.level);
    paintBox(context, box, x, right - x - 0.5, isCompared ? differenceFill(box, drawing, colours) : null, isDimmed, colours);
  }
}

/** Return the colour of a difference, from that of less over grey to that of more. */
function differenceFill(box: Box, { flame, measure }: Drawing, colours: Colours): { colour: string; strength: number } {
  const difference = differenceOf(flame, box.node, measure);
  return { colour: difference > 0 ? colours.more : colours.less, strength: Math.min(Math.abs(difference) / STRONG, 1) };
}

function paintBox(context: CanvasRenderingContext2D, box: Box, x: number, width: number, difference: { colour: string; strength: number } | null, isDimmed: boolean, colours: Colours): void {
  const y = box.level * ROW;
  const { node } = box;
  context.fillStyle = isDimmed || difference ? colours.dimmed : colours.functions[shadeOf(node.function)]!;
  context.fillRect(x, y, width, ROW - 1);
  if (difference && !isDimmed) {
    context.globalAlpha = difference.strength;
    context.fillStyle = difference.colour;
    context.fillRect(x, y, width, ROW - 1);
    context.globalAlpha = 1;
  }
  if (node.failed && !isDimmed) {
    context.fillStyle = colours.failed;
    context.fillRect(x, y + ROW - 4, Math.max(1, (width * node.failed) / Math.max(node.calls, 1)), 3);
  }
  if (width < TEXT_FROM_PX) return;
  context.fillStyle = isDimmed ? colours.muted : colours.text;
  context.save();
  context.beginPath();
  context.rect(x, y, width - 3, ROW);
  context.clip();
  context.fillText(node.function.slice(0, 300), x + 4, y + ROW / 2 - 0.5);
  context.restore();
}

function boxAt(boxes: Box[], top: Box | null, share: number, level: number): Box | null {
  const scale = scaleOf(top);
  const place = scale.left + share * scale.width;
  return boxes.find((box) => box.level === level && box.left <= place && place < box.left + box.width) ?? null;
}

function showTooltip(tooltip: HTMLElement, box: Box | null, flame: Flame, measure: Measure, x: number, y: number, width: number): void {
  tooltip.hidden = !box;
  if (!box) return;
  const { node } = box;
  const figures = [several(node.calls, "call"), duration(node.total_ns), `${duration(node.self_ns)} self${node.suspended_ns === null ? " and suspended" : ""}`];
  if (node.failed) figures.push(`${count(node.failed)} failed`);
  if (node.suspended_ns) figures.push(`${duration(node.suspended_ns)} suspended`);
  if (isComparison(flame)) {
    const difference = differenceOf(flame, node, measure);
    figures.push(`other: ${several(node.other_calls ?? 0, "call")}, ${duration(node.other_total_ns ?? 0)}`, `${difference < 0 ? "−" : "+"}${share(Math.abs(difference), 1)} of its selection`);
  }
  const name = document.createElement("strong");
  name.textContent = node.service ? `${node.service}: ${node.function}` : node.function;
  tooltip.replaceChildren(name, ` ${figures.join(", ")}`);
  tooltip.style.left = `${Math.max(4, Math.min(x + 12, width - tooltip.offsetWidth - 4))}px`;
  tooltip.style.top = `${y + 18}px`;
}
