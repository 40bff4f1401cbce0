/** The timeline: all calls of all tracks, from hours to nanoseconds. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAnswer } from "../api";
import type { Arrow, Overview } from "../api_types";
import type { PageProps } from "../app";
import { Failure, Loading, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { address, replaceAddress } from "../route";
import { useThemeRevision } from "../theme";
import { TimelineCanvas } from "../timeline/canvas";
import { Details } from "../timeline/details";
import { type Folding, placeLanes } from "../timeline/lanes";
import { Minimap } from "../timeline/minimap";
import type { Place, Range, Scene } from "../timeline/scene";
import { RangeBar, Toolbar } from "../timeline/toolbar";
import { MAX_TRACKS, useTracks } from "../timeline/tracks";
import { Viewport } from "../timeline/viewport";
import { WindowCache } from "../timeline/window_cache";
import { count } from "../units";

const SETTLED_MS = 250;
const MINIMAP_BINS = 1000;
const MAX_ARROWS = 500;

export function TimelinePage({ session, route, revision }: PageProps) {
  const { parameters } = route;
  const theme = useThemeRevision();
  const [scene, setScene] = useState<Scene | null>(null);
  const [, setSerial] = useState(0);
  const [range, setRange] = useState<Range | null>(null);
  const [settled, setSettled] = useState<Range | null>(null);
  const [folding, setFolding] = useState<Folding>({ closed: new Set(), whole: new Set() });
  const filters = { service: parameters["service"], tracks: parameters["tracks"], errors: parameters["errors"] };
  const tracks = useTracks({ ...filters, q: parameters["q"] }, revision);
  const overview = useAnswer<Overview>("overview", { px: MINIMAP_BINS }, revision);
  const viewport = useMemo(() => new Viewport(session.duration_ns, 0, session.duration_ns), []);
  const cache = useMemo(() => new WindowCache(viewport, () => setSerial((serial) => serial + 1)), []);
  const lanes = useMemo(() => placeLanes(tracks.tracks, session.traces, folding), [tracks.tracks, session, folding]);
  const arrows = useArrows(settled, revision);
  const selected = useMemo(() => parsePlace(parameters["select"]), [parameters["select"]]);
  const latest = useRef({ parameters, settle: 0 });
  latest.current.parameters = parameters;

  useShownRange(viewport, parameters);
  useEffect(() => follow(viewport, session.duration_ns, cache), [session.duration_ns]);
  useEffect(() => () => cache.close(), []);
  useEffect(() => {
    if (scene) scene.find = parameters["find"] ?? "";
    scene?.reset(lanes);
  }, [scene, lanes, theme, parameters["find"]]);
  useEffect(() => {
    if (scene) Object.assign(scene, { arrows, selected, range });
    scene?.draw();
  }, [scene, arrows, selected, range]);
  useEffect(() => scene?.draw(), [cache.version]);
  useEffect(() => {
    if (scene && selected) reveal(scene, viewport, selected);
  }, [scene, lanes, selected]);

  const onFrame = () => {
    if (scene) cache.ask(scene.visibleLanes(), {});
    window.clearTimeout(latest.current.settle);
    latest.current.settle = window.setTimeout(() => {
      const [from, to] = [Math.round(viewport.from), Math.round(viewport.to)];
      setSettled((before) => (before?.from === from && before.to === to ? before : { from, to }));
      const isAll = from <= 0 && to >= viewport.duration;
      keep({ from: isAll ? undefined : from, to: isAll ? undefined : to });
    }, SETTLED_MS);
  };
  useEffect(() => () => window.clearTimeout(latest.current.settle), []);
  const keep = (changes: Record<string, string | number | undefined>) => {
    if (location.hash.startsWith("#/timeline") || !location.hash) replaceAddress(address("timeline", { ...latest.current.parameters, ...changes }));
  };
  const toggle = (set: keyof Folding, key: string) => setFolding((before) => ({ ...before, [set]: toggled(before[set], key) }));
  return (
    <div class="timeline">
      <Toolbar parameters={parameters} keep={keep} cache={cache} tracks={tracks} viewport={viewport} settled={settled} />
      {overview.data && session.duration_ns ? <div class="minimap-row"><span class="corner" /><Minimap overview={overview.data} viewport={viewport} theme={theme} /></div> : <div class="minimap-row" />}
      {tracks.error ? <Failure message={tracks.error} /> : null}
      {cache.error ? <Failure message={cache.error} /> : null}
      {overview.error ? <Failure message={overview.error} /> : null}
      <div class="timeline-body">
        <TimelineCanvas
          lanes={lanes}
          folding={folding}
          toggle={toggle}
          viewport={viewport}
          cache={cache}
          setScene={setScene}
          onFrame={onFrame}
          select={(place) => keep({ select: place ? formatPlace(place) : undefined })}
          selectRange={setRange}
        />
        {tracks.loading && !tracks.tracks.length ? <Loading what="the tracks" /> : null}
        {!tracks.loading && !tracks.error && !tracks.tracks.length ? <Nothing>no track matches</Nothing> : null}
        {range ? <RangeBar range={range} viewport={viewport} parameters={parameters} close={() => setRange(null)} /> : null}
        {selected ? <Details place={selected} close={() => keep({ select: undefined })} revision={revision} /> : null}
      </div>
      <footer class="status">
        <span>{count(tracks.tracks.length)} of {count(tracks.total)} tracks{tracks.total > MAX_TRACKS ? "; filter to see others" : ""}</span>
        <Command text={cache.command} />
      </footer>
    </div>
  );
}

/** Show the range of the address whenever it is changed from outside. */
function useShownRange(viewport: Viewport, parameters: Record<string, string>): void {
  const { from, to } = parameters;
  useEffect(() => {
    const [first, last] = [Number(from ?? 0), Number(to ?? viewport.duration)];
    const isShown = Math.round(viewport.from) === first && Math.round(viewport.to) === last;
    const isAll = from === undefined && to === undefined && viewport.from <= 0 && viewport.to >= viewport.duration;
    if (first < last && !isShown && !isAll) viewport.show(first, last);
  }, [from, to]);
}

/** Load the arrows of a range that is no longer moving. */
function useArrows(settled: Range | null, revision: number): Arrow[] {
  const answer = useAnswer<Arrow[] | { arrows: Arrow[] }>("requests", settled ? { ...settled, limit: MAX_ARROWS } : null, revision);
  const { data } = answer;
  return useMemo(() => (Array.isArray(data) ? data : (data?.arrows ?? [])), [data]);
}

/** Let the range keep its distance to the end of a trace that grows. */
function follow(viewport: Viewport, duration: number, cache: WindowCache): void {
  const growth = duration - viewport.duration;
  if (!growth) return;
  const isAll = viewport.from <= 0 && viewport.to >= viewport.duration;
  const isAtEnd = viewport.to >= viewport.duration;
  viewport.duration = duration;
  cache.refresh();
  if (isAll) viewport.show(0, duration);
  else if (isAtEnd) viewport.move(growth);
  else viewport.changed();
}

/** Scroll to the selected call. */
function reveal(scene: Scene, viewport: Viewport, place: Place): void {
  const lane = scene.laneOf(place.track);
  const scroller = document.querySelector(".scroller");
  if (!lane || !scroller) return;
  const isVisible = lane.top >= viewport.scroll && lane.top + lane.height <= viewport.scroll + viewport.height;
  if (!isVisible) scroller.scrollTop = Math.max(lane.top - viewport.height / 3, 0);
}

function parsePlace(text: string | undefined): Place | null {
  const [track, start, depth = 0, duration = 0] = (text ?? "").split(":").map(Number);
  return text && Number.isFinite(track) && Number.isFinite(start) ? { track: track!, start: start!, depth, duration } : null;
}

function formatPlace(place: Place): string {
  return [place.track, place.start, place.depth, place.duration ?? 0].join(":");
}

function toggled(set: ReadonlySet<string>, key: string): Set<string> {
  const changed = new Set(set);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}
