/** The timeline: all calls of all tracks, from hours to nanoseconds. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAnswer } from "../api";
import type { Arrow, CallDetails, Overview, Session } from "../api_types";
import type { PageProps } from "../app";
import { Failure, Loading, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { address, replaceAddress } from "../route";
import { useThemeRevision } from "../theme";
import { TimelineCanvas } from "../timeline/canvas";
import { Details } from "../timeline/details";
import { type Folding, type Lane, placeLanes } from "../timeline/lanes";
import { Minimap } from "../timeline/minimap";
import type { Place, Range, Scene } from "../timeline/scene";
import { RangeBar, Toolbar } from "../timeline/toolbar";
import { MAX_TRACKS, useTracks } from "../timeline/tracks";
import { Viewport } from "../timeline/viewport";
import { WindowCache } from "../timeline/window_cache";
import { count } from "../units";

const SETTLED_MS = 250;
const MINIMAP_BINS = 1000;
const MAX_BINS = 8000;
const MAX_ARROWS = 500;

export function TimelinePage({ session, route, revision }: PageProps) {
  const { parameters } = route;
  const theme = useThemeRevision();
  const [scene, setScene] = useState<Scene | null>(null);
  const [, setSerial] = useState(0);
  const [range, setRange] = useState<Range | null>(null);
  const [settled, setSettled] = useState<Range | null>(null);
  const [visible, setVisible] = useState("");
  const [folding, setFolding] = useState<Folding>({ closed: new Set(), whole: new Set() });
  const filters = { service: parameters["service"], tracks: parameters["tracks"], errors: parameters["errors"] };
  const active = parameters["shown"] === "range" && settled ? settled : {};
  const tracks = useTracks({ ...filters, ...active, q: parameters["q"] }, revision);
  const viewport = useMemo(() => new Viewport(beginOf(session), session.duration_ns), []);
  const overview = useAnswer<Overview>("overview", { px: binsOf(viewport) }, revision);
  const cache = useMemo(() => new WindowCache(viewport, () => setSerial((serial) => serial + 1)), []);
  const lanes = useMemo(() => placeLanes(tracks.tracks, session.traces, folding), [tracks.tracks, session, folding]);
  const arrows = useArrows(settled, visible, revision);
  const place = useMemo(() => parsePlace(parameters["select"]), [parameters["select"]]);
  const call = useAnswer<CallDetails>("call", place ? { track: place.track, start: place.start, depth: place.depth } : null, revision);
  const selected = useMemo(() => place && withCall(place, call.data), [place, call.data]);
  const latest = useRef({ parameters, settle: 0, written: "" });
  latest.current.parameters = parameters;

  useShownRange(viewport, parameters, latest.current);
  useEffect(() => {
    const isLinked = place?.depth === undefined && parameters["from"] === undefined;
    if (isLinked && selected?.duration !== undefined) viewport.show(selected.start - selected.duration, selected.start + 2 * selected.duration);
  }, [selected]);
  useEffect(() => follow(viewport, session, cache), [session]);
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
      setVisible(tracksOf(scene?.visibleLanes() ?? []));
      const written = viewport.isAll ? {} : { from, to };
      latest.current.written = rangeKey(written.from, written.to);
      keep({ from: written.from, to: written.to });
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
      {overview.data ? <div class="minimap-row"><span class="corner" /><Minimap overview={overview.data} viewport={viewport} theme={theme} /></div> : <div class="minimap-row" />}
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
        {place ? <Details answer={call} close={() => keep({ select: undefined })} /> : null}
      </div>
      <footer class="status">
        <span>{count(tracks.tracks.length)} of {count(tracks.total)} tracks{tracks.total > MAX_TRACKS ? "; filter to see others" : ""}</span>
        <Command text={cache.command} />
      </footer>
    </div>
  );
}

/** Return the number of bins from time 0 on so that the minimap, which begins with the first call, has enough. */
function binsOf({ begin, end }: Viewport): number {
  return Math.min(Math.ceil((MINIMAP_BINS * end) / Math.max(end - begin, 1)), MAX_BINS);
}

function rangeKey(from?: string | number, to?: string | number): string {
  return `${from}:${to}`;
}

/** Show the range of the address whenever it changes, unless the timeline wrote it there. */
function useShownRange(viewport: Viewport, parameters: Record<string, string>, latest: { written: string }): void {
  const { from, to } = parameters;
  useEffect(() => {
    if (rangeKey(from, to) === latest.written) return;
    const [first, last] = [Number(from ?? viewport.begin), Number(to ?? viewport.end)];
    const isShown = Math.round(viewport.from) === first && Math.round(viewport.to) === last;
    const isAll = from === undefined && to === undefined && viewport.isAll;
    if (first < last && !isShown && !isAll) viewport.show(first, last);
  }, [from, to]);
}

/** Load the arrows that touch the visible tracks and range, once these no longer move. */
function useArrows(settled: Range | null, tracks: string, revision: number): Arrow[] {
  const query = settled && tracks ? { ...settled, tracks, limit: MAX_ARROWS } : null;
  const answer = useAnswer<Arrow[] | { arrows: Arrow[] }>("requests", query, revision);
  const { data } = answer;
  return useMemo(() => (Array.isArray(data) ? data : (data?.arrows ?? [])), [data]);
}

/** Return the numbers of the tracks in lanes, as a request lists them. */
function tracksOf(lanes: Lane[]): string {
  return lanes.flatMap((lane) => (lane.track ? [lane.track.id] : [])).join(",");
}

function beginOf(session: Session): number {
  return session.traces.reduce((earliest, trace) => Math.min(earliest, trace.start_ns), session.duration_ns);
}

/** Let the range keep its distance to the end of a trace that grows. */
function follow(viewport: Viewport, session: Session, cache: WindowCache): void {
  const begin = beginOf(session);
  const growth = session.duration_ns - viewport.end;
  if (!growth && begin === viewport.begin) return;
  const { isAll } = viewport;
  const isAtEnd = viewport.to >= viewport.end;
  viewport.begin = begin;
  viewport.end = session.duration_ns;
  cache.refresh();
  if (isAll) viewport.showAll();
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
  const [track, start, depth, duration] = (text ?? "").split(":").map(Number);
  return text && Number.isFinite(track) && Number.isFinite(start) ? { track: track!, start: start!, depth, duration } : null;
}

/** Add what an address without depth and duration leaves open. */
function withCall(place: Place, call: CallDetails | null): Place {
  if (!call || call.track !== place.track || call.start_ns !== place.start) return place;
  return { ...place, depth: call.depth, duration: call.duration_ns ?? 0 };
}

function formatPlace(place: Place): string {
  return [place.track, place.start, place.depth ?? 0, place.duration ?? 0].join(":");
}

function toggled(set: ReadonlySet<string>, key: string): Set<string> {
  const changed = new Set(set);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}
