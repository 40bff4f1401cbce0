/** Calls and failures over the whole trace, as square roots so that few are visible beside many; dragging chooses the visible range. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Overview } from "../api_types";
import { readColours } from "./colours";
import type { Viewport } from "./viewport";

const HEIGHT = 56;

export function Minimap({ overview, viewport, theme }: { overview: Overview; viewport: Viewport; theme: number }) {
  const place = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current!;
    const plot = new uPlot(optionsFor(element.clientWidth, viewport), columns(overview, viewport.end), element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [overview, viewport.end, theme]);
  useEffect(() => {
    const element = frame.current!;
    const update = () => moveFrame(element, viewport);
    update();
    return viewport.subscribe(update);
  }, [viewport]);
  return (
    <div class="minimap" role="img" aria-label="Calls and failures over the whole trace">
      <div ref={place} />
      <div ref={frame} class="minimap-frame" />
    </div>
  );
}

function columns(overview: Overview, end: number): uPlot.AlignedData {
  const bins = overview.calls.length;
  return [overview.calls.map((_, index) => ((index + 0.5) * end) / bins), overview.calls.map(Math.sqrt), overview.failed.map(Math.sqrt)];
}

function optionsFor(width: number, viewport: Viewport): uPlot.Options {
  const colours = readColours();
  const bars = uPlot.paths.bars!({ size: [1, Infinity], gap: 0 });
  return {
    width,
    height: HEIGHT,
    padding: [4, 0, 0, 0],
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: false, range: [viewport.begin, Math.max(viewport.end, viewport.begin + 1)] }, y: { range: (_, __, highest) => [0, highest || 1] } },
    series: [
      {},
      { fill: colours.functions[1]!, width: 0, paths: bars, points: { show: false } },
      { fill: colours.failed, width: 0, paths: bars, points: { show: false } },
    ],
    hooks: { setSelect: [(plot) => showSelected(plot, viewport)] },
  };
}

function showSelected(plot: uPlot, viewport: Viewport): void {
  const { left, width } = plot.select;
  const at = (x: number) => plot.posToVal(x, "x");
  if (width > 2) viewport.show(at(left), at(left + width));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function moveFrame(frame: HTMLElement, viewport: Viewport): void {
  const share = (ns: number) => Math.min(Math.max((ns - viewport.begin) / (viewport.end - viewport.begin), 0), 1) * 100;
  frame.style.left = `${share(viewport.from)}%`;
  frame.style.width = `max(3px, ${share(viewport.to) - share(viewport.from)}%)`;
}
