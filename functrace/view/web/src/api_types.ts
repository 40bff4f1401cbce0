/** Answers of the server, as docs of functrace/view/api describe them. Times are nanoseconds since the session's origin. */

export interface TraceInfo {
  id: number;
  name: string;
  path: string;
  program: string;
  service: string;
  pid: number;
  host: string;
  language: string;
  start_ns: number;
  end_ns: number;
  events: number;
  /** null until the calls of a large trace are counted */
  calls: number | null;
  failed: number | null;
  tracks: number;
  notes: string[];
  /** Why the watcher saved the bundle that the trace is in. */
  reason: Reason | null;
}

export interface Reason {
  trigger: string;
  /** One sentence with the figures. */
  summary: string;
  /** Seconds since 1970. */
  at: number | null;
  function: string;
  /** Functions of the guilty chain, outermost first. */
  chain: string[];
  also_true: string[];
}

export interface Session {
  version: string;
  /** Absolute start of the earliest trace, as a decimal number. */
  origin_ns: string;
  duration_ns: number;
  live: boolean;
  traces: TraceInfo[];
  /** The store that is shown in place of traces. */
  store?: Store;
  /** The traces, or the store with its options, as arguments of a shell command. */
  arguments: string;
}

export interface Store {
  place: string;
  services: { name: string; releases: string[]; process_count: number; calls: number; failed: number }[];
  /** Sentences about what the figures cover. */
  notes: string[];
}

export interface Place {
  function: string;
  file: string;
  line: number;
  /** Service of the function, if there are several. */
  service?: string;
}

export interface Step extends Place {
  started: boolean;
  started_at: { kind: string; file: string; line: number } | null;
}

export interface Example {
  reason: string;
  trace: string;
  track: number;
  kind: string;
  start_ns: number;
  duration_ns: number | null;
  /** Nanoseconds since 1970, of an example in a store. */
  time_ns?: number;
}

export interface Links {
  chains?: string;
  timeline?: string;
}

/** A finding; which figures it has depends on its kind. */
export interface Finding extends Partial<Place> {
  command: string;
  links?: Links;
  steps?: Step[];
  example?: Example | null;
  caller?: Place;
  pattern?: string;
  text?: string;
  is_panic?: boolean;
  [figure: string]: unknown;
}

export interface Triage {
  traces: string[];
  calls: number;
  losses: Finding[];
  failing: Finding[];
  swallowed: Finding[];
  never_ended: Finding[];
  slow: Finding[];
  repeated: Finding[];
  recursion: Finding[];
  more_findings: number;
  sampled_findings: string[];
  demoted: unknown[];
  command?: string;
}

export interface FunctionMatch {
  id: number;
  name: string;
  file: string;
  line: number;
  calls: number;
  failed: number;
}

export interface Track {
  id: number;
  trace: number;
  name: string;
  kind: string;
  parent: number | null;
  parent_time_ns: number | null;
  function: string;
  start_ns: number;
  end_ns: number;
  calls: number;
  failed: number;
  max_depth: number;
  group: string;
}

export interface TrackPage {
  total: number;
  tracks: Track[];
}

/** Bits of `flags`. */
export const Flag = { failed: 1, panicked: 2, unfinished: 4, merged: 8, suspended: 16 } as const;

/** Slices of a track at one depth, as columns sorted by start. */
export interface Row {
  depth: number;
  start: number[];
  duration: number[];
  function: number[];
  flags: number[];
  calls: number[];
}

export interface Window {
  from: number;
  to: number;
  tracks: { id: number; rows: Row[] }[];
  functions: Record<string, FunctionPlace>;
  command?: string;
}

export interface FunctionPlace {
  name: string;
  file: string;
  line: number;
}

export interface Overview {
  calls: number[];
  failed: number[];
  tracks: number[];
}

export interface FlameNode {
  id: number;
  parent: number | null;
  function: string;
  /** Service of the function, if a store has several. */
  service?: string;
  calls: number;
  failed: number;
  total_ns: number;
  self_ns: number;
  /** null for a range of time, where self time contains suspended time */
  suspended_ns: number | null;
  other_calls?: number;
  other_total_ns?: number;
  other_self_ns?: number;
}

export interface Flame {
  nodes: FlameNode[];
  total_ns: number;
  other_total_ns?: number;
  truncated: boolean;
  command?: string;
}

export interface Chain {
  calls: number;
  failed: number;
  unfinished?: number;
  /** Calls whose callers were overwritten in the ring, at least in part. */
  partial: number | null;
  matching: number;
  total_ns?: number;
  self_ns?: number;
  suspended_ns?: number;
  p50_ns: number | null;
  p99_ns: number | null;
  steps: Step[];
  cycles: { last_step: number; length: number; min_rounds: number; max_rounds: number }[];
  failures: { pattern: string; text: string; is_panic: boolean; calls: number }[];
  example: Example | null;
  links?: Links;
}

export interface Chains {
  functions: Place[];
  traces: string[];
  calls: number;
  failed: number;
  total_ns?: number;
  self_ns?: number;
  p50_ns: number | null;
  p99_ns: number | null;
  chains: Chain[];
  more_chains: number;
  sampled: boolean;
  command?: string;
}

export interface Call {
  trace: number;
  track: number;
  track_name: string;
  start_ns: number;
  duration_ns: number | null;
  self_ns: number | null;
  function: string;
  depth: number;
  failed: boolean;
  error: string | null;
  parent_function: string | null;
}

export interface Calls {
  total: number;
  exact: boolean;
  calls: Call[];
  command?: string;
}

/** One call in full; its chain is outermost first and ends with the call itself. */
export interface CallDetails extends Call {
  file?: string;
  line?: number;
  suspended_ns?: number | null;
  panicked?: boolean;
  unfinished?: boolean;
  chain: (Partial<Place> & { function: string; track?: number; depth?: number; start_ns?: number | null; duration_ns?: number | null; started?: boolean; failed?: boolean })[];
  /** Whether the chain has more calls than were sent. */
  chain_truncated?: boolean;
  requests?: { direction?: string; route?: string; id?: string; [key: string]: unknown }[];
  command?: string;
}

export interface Service {
  name: string;
  external: boolean;
  gateway: boolean;
  process_count: number;
  inbound: number;
  inbound_failed: number;
  without_caller: number;
  outbound: number;
  outbound_failed: number;
}

export interface ServiceEdge {
  from: string;
  to: string;
  route: string;
  calls: number;
  failed: number;
  unfinished: number;
  not_received: number;
  p50_ns: number | null;
  p99_ns: number | null;
  chains: { calls: number; failed: number; steps: Step[] }[];
}

export interface Services {
  services: Service[];
  edges: ServiceEdge[];
  notes: string[];
  unknown_callers: number;
  command?: string;
}

export interface Arrow {
  from_track: number;
  from_ns: number;
  to_track: number;
  to_ns: number;
  route: string;
  failed: boolean;
  kind?: string;
}

export interface Source {
  file: string;
  exists: boolean;
  changed: boolean;
  first_line: number;
  /** Line of the function. */
  line?: number;
  lines: string[];
  figures: Record<string, { calls: number; failed: number; total_ns: number }>;
  command?: string;
}

export interface Live {
  revision: number;
  session: Session;
}

/**
 * The data of a saved page: a JSON script element with the id `saved`.
 *
 * `answers` maps a request to its answer. Its key is the endpoint, followed by `?` and those of the parameters
 * `direction` and `function` that were given, sorted, URL-encoded: `triage`, `flame?direction=callers`,
 * `chains?function=store.Get`. A request that names no function gets that of the endpoint alone if it has none of its own;
 * `window`, `tracks`, `calls` and `functions` are cut in the browser from the entry of the endpoint alone.
 */
export interface Saved {
  from: number;
  to: number;
  answers: Record<string, unknown>;
}
