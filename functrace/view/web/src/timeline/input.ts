/** Mouse, wheel and keys of the timeline. */
import { isTyping } from "../keys";
import type { Range } from "./scene";
import type { Viewport } from "./viewport";

const WHEEL_ZOOM = 0.0022;
const CLICK_PX = 4;
/** Per millisecond that a key is held. */
const KEY_ZOOM = 0.0035;
const KEY_MOVE = 0.0012;
/** What a short press is worth at least, and a frame at most. */
const TAP_MS = 50;

export interface Actions {
  click: (x: number, y: number) => void;
  open: (x: number, y: number) => void;
  hover: (x: number, y: number) => void;
  leave: () => void;
  select: (range: Range | null) => void;
  fit: () => void;
  escape: () => void;
}

/** Handle the input of a canvas until the returned function is called. */
export function listen(canvas: HTMLCanvasElement, viewport: Viewport, actions: Actions): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const pointer = { x: viewport.width / 2 };
  listenToPointer(canvas, viewport, actions, pointer, signal);
  listenToWheel(canvas, viewport, signal);
  listenToKeys(viewport, actions, pointer, signal);
  return () => stop.abort();
}

function listenToPointer(canvas: HTMLCanvasElement, viewport: Viewport, actions: Actions, pointer: { x: number }, signal: AbortSignal): void {
  let drag: { x: number; startX: number; isRange: boolean; isMoved: boolean } | null = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.offsetX, startX: event.offsetX, isRange: event.shiftKey, isMoved: false };
    canvas.setPointerCapture(event.pointerId);
  }, { signal });
  canvas.addEventListener("pointermove", (event) => {
    pointer.x = event.offsetX;
    if (!drag) return actions.hover(event.offsetX, event.offsetY);
    drag.isMoved ||= Math.abs(event.offsetX - drag.startX) > CLICK_PX;
    if (!drag.isMoved) return;
    if (drag.isRange) actions.select(rangeOf(viewport, drag.startX, event.offsetX));
    else viewport.move((drag.x - event.offsetX) * viewport.pixel);
    drag.x = event.offsetX;
  }, { signal });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.isMoved) actions.click(event.offsetX, event.offsetY);
    drag = null;
  }, { signal });
  canvas.addEventListener("pointercancel", () => { drag = null; }, { signal });
  canvas.addEventListener("pointerleave", () => actions.leave(), { signal });
  canvas.addEventListener("dblclick", (event) => actions.open(event.offsetX, event.offsetY), { signal });
}

function rangeOf(viewport: Viewport, first: number, second: number): Range {
  const [from, to] = [viewport.time(Math.min(first, second)), viewport.time(Math.max(first, second))];
  return { from: Math.max(0, Math.floor(from)), to: Math.ceil(to) };
}

function listenToWheel(canvas: HTMLCanvasElement, viewport: Viewport, signal: AbortSignal): void {
  canvas.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
    if (event.ctrlKey || event.metaKey) viewport.zoom(Math.exp(event.deltaY * WHEEL_ZOOM), event.offsetX);
    else if (sideways) viewport.move(sideways * viewport.pixel);
    else return;
    event.preventDefault();
  }, { signal, passive: false });
}

const HELD = new Set(["w", "a", "s", "d"]);

function listenToKeys(viewport: Viewport, actions: Actions, pointer: { x: number }, signal: AbortSignal): void {
  const held = new Set<string>();
  let last = 0;
  const apply = (passed: number) => {
    const zoom = (held.has("s") ? 1 : 0) - (held.has("w") ? 1 : 0);
    const move = (held.has("d") ? 1 : 0) - (held.has("a") ? 1 : 0);
    if (zoom) viewport.zoom(Math.exp(zoom * passed * KEY_ZOOM), pointer.x);
    if (move) viewport.move(move * passed * KEY_MOVE * viewport.span);
  };
  const step = (now: number) => {
    if (!held.size || signal.aborted) return;
    apply(Math.max(0, Math.min(now - last, TAP_MS)));
    last = now;
    requestAnimationFrame(step);
  };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "f") actions.fit();
    if (key === "escape") actions.escape();
    if (!HELD.has(key) || event.repeat) return;
    const isFirst = !held.size;
    held.add(key);
    apply(TAP_MS);
    if (!isFirst) return;
    last = performance.now();
    requestAnimationFrame(step);
  }, { signal });
  window.addEventListener("keyup", (event) => held.delete(event.key.toLowerCase()), { signal });
  window.addEventListener("blur", () => held.clear(), { signal });
}
