/** Answers from the data of a saved page, which has no server. */
import type { Call, Calls, Chains, FunctionMatch, Row, Saved, Session, TrackPage, Window } from "./api_types";
import { callFromSlices } from "./saved_call";
import { mergeNarrow } from "./timeline/merge";

/** The data of the page if it was saved by `functrace view --save`. */
export const savedPage: Saved | null = readSaved();

function readSaved(): Saved | null {
  const element = document.getElementById("saved");
  return element?.textContent ? (JSON.parse(element.textContent) as Saved) : null;
}

/** Return the answer of an endpoint. Throws an Error if the page was saved without it. */
export function answerSaved(saved: Saved, endpoint: string, query: URLSearchParams): unknown {
  if (endpoint === "call") return callFromSlices(saved.answers["window"] as Window, saved.answers["tracks"] as TrackPage, query);
  if (endpoint === "flame" || endpoint === "chains") checkConditions(saved, endpoint, query);
  const answer = saved.answers[keyOf(endpoint, query)] ?? (query.has("function") ? undefined : saved.answers[endpoint]);
  if (answer === undefined) throw new Error("this saved page does not contain these figures; functrace view shows them");
  const cut = CUTS[endpoint];
  return cut ? cut(answer, query, saved) : answer;
}

function keyOf(endpoint: string, query: URLSearchParams): string {
  const named = ["direction", "function"].filter((key) => query.has(key));
  if (!named.length) return endpoint;
  return `${endpoint}?${new URLSearchParams(named.map((key) => [key, query.get(key)!]))}`;
}

const CUTS: Record<string, (answer: unknown, query: URLSearchParams, saved: Saved) => unknown> = {
  window: cutWindow,
  tracks: cutTracks,
  calls: cutCalls,
  functions: cutFunctions,
  chains: cutChains,
};

/** Conditions on the calls of a flame graph or of chains, whose figures were added up when the page was saved. */
const CONDITIONS = ["tracks", "service", "min_duration", "include", "exclude", "against"];

function checkConditions(saved: Saved, endpoint: string, query: URLSearchParams): void {
  const isPart = number(query, "from", saved.from) > saved.from || number(query, "to", saved.to) < saved.to;
  const isFiltered = isPart || CONDITIONS.some((key) => query.has(key)) || (endpoint === "flame" && query.has("errors"));
  if (isFiltered) throw new Error("a saved page has the figures of all its calls only; functrace view filters them");
}

/** Keep the chains with failed calls; the figures of each are still those of all its calls. */
function cutChains(answer: unknown, query: URLSearchParams): Chains {
  const found = answer as Chains;
  return query.has("errors") ? { ...found, chains: found.chains.filter((chain) => chain.failed > 0) } : found;
}

function cutWindow(answer: unknown, query: URLSearchParams): Window {
  const whole = answer as Window;
  const from = number(query, "from", whole.from);
  const to = number(query, "to", whole.to);
  const pixel = (to - from) / number(query, "px", 1600);
  const wanted = new Set((query.get("tracks") ?? "").split(",").map(Number));
  const depth = number(query, "depth", Infinity);
  const tracks = whole.tracks
    .filter((track) => wanted.has(track.id))
    .map(({ id, rows }) => ({ id, rows: rows.filter((row) => row.depth < depth).map((row) => cutRow(row, from, to, pixel)) }));
  return { ...whole, from, to, tracks };
}

function cutRow(row: Row, from: number, to: number, pixel: number): Row {
  const chosen = row.start.flatMap((start, index) => (start < to && start + (row.duration[index] ?? 0) >= from ? [index] : []));
  const pick = (column: number[]) => chosen.map((index) => column[index] ?? 0);
  const inside = { depth: row.depth, start: pick(row.start), duration: pick(row.duration), function: pick(row.function) };
  return mergeNarrow({ ...inside, flags: pick(row.flags), calls: pick(row.calls) }, pixel);
}

function cutTracks(answer: unknown, query: URLSearchParams, saved: Saved): TrackPage {
  const text = (query.get("q") ?? "").toLowerCase();
  const isChosen = trackFilter(query, saved);
  const found = (answer as TrackPage).tracks.filter((track) =>
    isChosen(track.trace, track.id) &&
    track.start_ns <= number(query, "to", Infinity) &&
    track.end_ns >= number(query, "from", 0) &&
    (!query.get("errors") || track.failed > 0) &&
    track.name.toLowerCase().includes(text));
  return { total: found.length, tracks: page(found, query) };
}

function cutFunctions(answer: unknown, query: URLSearchParams): FunctionMatch[] {
  const text = (query.get("q") ?? "").toLowerCase();
  return page((answer as FunctionMatch[]).filter((each) => each.name.toLowerCase().includes(text)), query);
}

function cutCalls(answer: unknown, query: URLSearchParams, saved: Saved): Calls {
  const { calls: all, ...rest } = answer as Calls;
  const sort = `${query.get("sort") ?? "start"}_ns` as "start_ns" | "duration_ns" | "self_ns";
  const direction = query.get("order") === "desc" ? -1 : 1;
  const matches = callFilter(query, saved);
  const calls = all.filter(matches).sort((a, b) => direction * ((a[sort] ?? 0) - (b[sort] ?? 0)));
  return { ...rest, total: calls.length, calls: page(calls, query) };
}

/** Return whether a call matches the filters. Throws an Error if one of them is a glob. */
function callFilter(query: URLSearchParams, saved: Saved): (call: Call) => boolean {
  const isChosen = trackFilter(query, saved);
  const [included, excluded] = [fullName(query.get("include"), saved), fullName(query.get("exclude"), saved)];
  return (call) =>
    isChosen(call.trace, call.track) &&
    call.start_ns <= number(query, "to", Infinity) &&
    call.start_ns + (call.duration_ns ?? Infinity) >= number(query, "from", 0) &&
    (!query.get("errors") || call.failed) &&
    (call.duration_ns ?? Infinity) >= number(query, "min_duration", 0) &&
    (!included || call.function === included) &&
    (!excluded || call.function !== excluded);
}

/** Return whether a track of a trace matches the filters on tracks and services. */
function trackFilter(query: URLSearchParams, saved: Saved): (trace: number, track: number) => boolean {
  const tracks = query.get("tracks")?.split(",").map(Number);
  const service = query.get("service");
  const { traces } = saved.answers["session"] as Session;
  const chosen = traces.filter((trace) => !service || trace.service === service).map((trace) => trace.id);
  return (trace, track) => chosen.includes(trace) && (!tracks || tracks.includes(track));
}

/** Return the text if it is the full name of a function. The rules of globs are the server's. */
function fullName(text: string | null, saved: Saved): string | null {
  if (!text) return null;
  const functions = saved.answers["functions"] as FunctionMatch[];
  const { calls } = saved.answers["calls"] as Calls;
  if (functions.some((each) => each.name === text) || calls.some((call) => call.function === text)) return text;
  throw new Error("a saved page filters calls by full names of functions only; functrace view matches globs");
}

function page<T>(all: T[], query: URLSearchParams): T[] {
  const offset = number(query, "offset", 0);
  return all.slice(offset, offset + number(query, "limit", all.length));
}

function number(query: URLSearchParams, key: string, otherwise: number): number {
  return query.has(key) ? Number(query.get(key)) : otherwise;
}
