/** The scrolling part of the timeline: labels, canvas, ruler and tooltip. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Flag } from "../api_types";
import { duration, several } from "../units";
import { listen } from "./input";
import { Labels } from "./labels";
import { type Folding, heightOf, type Lane, lanesBetween, ROW_HEIGHT } from "./lanes";
import { type Place, paintRuler, type Range, Scene } from "./scene";
import { sliceAt, type SliceRow } from "./slices";
import type { Viewport } from "./viewport";
import type { WindowCache } from "./window_cache";

export interface CanvasProps {
  lanes: Lane[];
  folding: Folding;
  toggle: (set: keyof Folding, key: string) => void;
  viewport: Viewport;
  cache: WindowCache;
  setScene: (scene: Scene | null) => void;
  onFrame: () => void;
  select: (place: Place | null) => void;
  selectRange: (range: Range | null) => void;
}

interface Hit {
  place: Place;
  row: SliceRow;
  index: number;
}

export function TimelineCanvas(props: CanvasProps) {
  const { viewport, cache, lanes } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const ruler = useRef<HTMLCanvasElement>(null);
  const labels = useRef<HTMLDivElement>(null);
  const tooltip = useRef<HTMLDivElement>(null);
  const scene = useRef<Scene | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [shown, setShown] = useState<[number, number]>([0, 1]);

  useEffect(() => {
    const [axis, names] = [ruler.current!, labels.current!];
    const made = new Scene(canvas.current!, viewport, cache, () => {
      paintRuler(axis, viewport);
      names.style.transform = `translateY(${-viewport.scroll}px)`;
      setShown((before) => pageOf(viewport, before));
      latest.current.onFrame();
    });
    scene.current = made;
    props.setScene(made);
    const stopViewport = viewport.subscribe(() => made.draw());
    const element = canvas.current!;
    const resize = () => viewport.resize(element.clientWidth, element.clientHeight);
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    resize();
    const stopInput = listen(canvas.current!, viewport, actions(made));
    return () => {
      stopInput();
      stopViewport();
      observer.disconnect();
      made.close();
      props.setScene(null);
    };
  }, [viewport, cache]);

  const hit = (made: Scene, x: number, y: number) => hitTest(made, viewport, cache, x, y);
  const actions = (made: Scene) => ({
    click: (x: number, y: number) => latest.current.select(hit(made, x, y)?.place ?? null),
    open: (x: number, y: number) => show(viewport, hit(made, x, y)?.place),
    hover: (x: number, y: number) => showTooltip(tooltip.current!, hit(made, x, y), cache, x, y, viewport),
    leave: () => { tooltip.current!.hidden = true; },
    select: (range: Range | null) => latest.current.selectRange(range),
    fit: () => (made.range ? viewport.show(made.range.from, made.range.to) : made.selected ? show(viewport, made.selected) : viewport.showAll()),
    escape: () => { latest.current.select(null); latest.current.selectRange(null); },
  });
  return (
    <div class="tracks">
      <div class="ruler"><span class="corner" /><canvas ref={ruler} aria-hidden="true" /></div>
      <div ref={scroller} class="scroller" tabIndex={0} role="region" aria-label="Tracks" onScroll={(event) => viewport.scrollTo(event.currentTarget.scrollTop)}>
        <div class="sticky">
          <div class="labels"><div ref={labels}><Labels lanes={lanesBetween(lanes, ...shown)} folding={props.folding} toggle={props.toggle} /></div></div>
          <div class="slices">
            <canvas ref={canvas} role="img" aria-label="Calls of each track over time; the page Calls lists them as text" />
            <div ref={tooltip} class="tooltip" hidden />
          </div>
        </div>
        <div class="spacer" style={{ height: `${heightOf(lanes)}px` }} />
      </div>
    </div>
  );
}

const PAGE_PX = 400;

/** Return the heights between which labels are shown, in steps, so that they change rarely. */
function pageOf(viewport: Viewport, before: [number, number]): [number, number] {
  const top = Math.floor(viewport.scroll / PAGE_PX) * PAGE_PX;
  const bottom = Math.ceil((viewport.scroll + viewport.height) / PAGE_PX + 0.5) * PAGE_PX;
  return before[0] === top && before[1] === bottom ? before : [top, bottom];
}

function show(viewport: Viewport, place: Place | null | undefined): void {
  if (!place) return;
  const length = place.duration || viewport.span / 10;
  viewport.show(place.start - length * 0.15, place.start + length * 1.15);
}

function hitTest(scene: Scene, viewport: Viewport, cache: WindowCache, x: number, y: number): Hit | null {
  const lane = scene.visibleLanes().find(({ top, height }) => y + viewport.scroll >= top && y + viewport.scroll < top + height);
  if (!lane?.track) return null;
  const depth = Math.floor((y + viewport.scroll - lane.top - 3) / ROW_HEIGHT);
  const row = cache.get(lane.track.id)?.fine.rows.find((each) => each.depth === depth);
  const index = row ? sliceAt(row, viewport.time(x), 2 * viewport.pixel) : -1;
  if (!row || index < 0 || depth >= lane.rows) return null;
  return { place: { track: lane.track.id, start: row.start[index]!, depth, duration: row.duration[index]! }, row, index };
}

function showTooltip(tooltip: HTMLElement, hit: Hit | null, cache: WindowCache, x: number, y: number, viewport: Viewport): void {
  tooltip.hidden = !hit;
  if (!hit) return;
  const { row, index } = hit;
  const flags = row.flags[index]!;
  const name = cache.functions.get(row.function[index]!)?.name ?? "";
  const marks = [
    flags & Flag.merged ? `${several(row.calls[index]!, "call")} merged` : "",
    flags & Flag.panicked ? "panicked" : flags & Flag.failed ? (flags & Flag.merged ? "some failed" : "failed") : "",
    flags & Flag.suspended ? "suspended" : "",
    flags & Flag.unfinished ? "unfinished" : "",
  ].filter(Boolean);
  const strong = document.createElement("strong");
  strong.textContent = name;
  tooltip.replaceChildren(strong, ` ${[duration(row.duration[index]!), ...marks].join(", ")}`);
  tooltip.style.left = `${Math.max(4, Math.min(x + 12, viewport.width - tooltip.offsetWidth - 4))}px`;
  tooltip.style.top = `${y + 18 + tooltip.offsetHeight > viewport.height ? y - tooltip.offsetHeight - 8 : y + 18}px`;
}
