/** Kinds of findings: their titles and what the headline of each says. */
import type { Finding, Place, Triage } from "../api_types";
import { count, duration, moment, several, share } from "../units";

type Key = "losses" | "failing" | "swallowed" | "never_ended" | "slow" | "repeated" | "recursion";

export interface Kind {
  key: Key & keyof Triage;
  title: string;
  tone: "bad" | "warning" | "plain";
  /** Words of the link to the example on the timeline. */
  example: string;
  headline: (finding: Finding, words: Words) => string;
}

export interface Words {
  /** Python's exceptions are failures; a panic of Go is not an error. */
  isPython: boolean;
  /** ≥ before figures that may be too low, because only a part of the calls was examined */
  atLeast: "" | "≥";
}

const number = (finding: Finding, key: string) => Number(finding[key] ?? 0);
const caller = (finding: Finding) => (finding.caller as Place | undefined)?.function ?? "its caller";

export const KINDS: Kind[] = [
  { key: "losses", title: "Incomplete", tone: "warning", example: "Timeline", headline: (each) => `${String(each["trace"])}: ${String(each["loss"])}` },
  { key: "failing", title: "Failing", tone: "bad", example: "First failed call", headline: failing },
  { key: "swallowed", title: "Not returned by the caller", tone: "bad", example: "Example", headline: swallowed },
  { key: "never_ended", title: "Never ended", tone: "warning", example: "Longest open call", headline: neverEnded },
  { key: "slow", title: "Slow", tone: "plain", example: "Slowest call", headline: slow },
  { key: "repeated", title: "Repeated", tone: "plain", example: "Example", headline: repeated },
  { key: "recursion", title: "Recursion", tone: "plain", example: "Deepest call", headline: recursion },
];

function verb(each: Finding, isPython: boolean): string {
  return each.is_panic && !isPython ? "panicked" : "failed";
}

function failing(each: Finding, { isPython, atLeast }: Words): string {
  const failed = number(each, "count");
  const calls = number(each, "calls");
  const chains = number(each, "chain_count");
  const uncaught = number(each, "uncaught");
  return [
    `${verb(each, isPython)} ${atLeast}${count(failed)}×`,
    uncaught ? `${atLeast}${count(uncaught)} uncaught` : "",
    `${atLeast}${share(failed, calls)} of ${several(calls, "call")}`,
    each["first_failure_ns"] === null ? "" : `from ${moment(number(each, "first_failure_ns"))} to ${moment(number(each, "last_failure_ns"))}`,
    chains > 1 ? `in ${several(chains, "chain")}` : "",
  ].filter(Boolean).join(", ");
}

function swallowed(each: Finding, { isPython, atLeast }: Words): string {
  const isRecovered = each.is_panic && !isPython;
  const what = each["by_go_statement"]
    ? `started by a go statement of ${caller(each)}, which gets no error`
    : isRecovered ? `recovered in ${caller(each)}` : `${caller(each)} did not fail`;
  return `${verb(each, isPython)} ${atLeast}${count(number(each, "count"))}×, ${what}`;
}

function neverEnded(each: Finding): string {
  const waiting = number(each, "waiting_tracks");
  const running = number(each, "running_tracks");
  const states = [waiting ? `${count(waiting)} waiting` : "", running ? `${count(running)} running` : ""].filter(Boolean);
  return `open for ${duration(number(each, "open_ns"))} on ${several(number(each, "track_count"), "track")}${states.length ? ` (${states.join(", ")})` : ""}`;
}

function slow(each: Finding): string {
  const usual = `usually ${duration(number(each, "p50_ns"))}`;
  return `${several(number(each, "count"), "call")} above ${duration(number(each, "limit_ns"))}, up to ${duration(number(each, "max_ns"))}, ${usual}`;
}

function repeated(each: Finding): string {
  const time = `${duration(number(each, "total_ns"))} of its ${duration(number(each, "caller_total_ns"))}`;
  return `called up to ${count(number(each, "max_in_caller"))}× by one call of ${caller(each)}, ${time}`;
}

function recursion(each: Finding): string {
  const unfinished = number(each, "unfinished");
  const ends = [`${count(number(each, "failed"))} failed`, unfinished ? `${count(unfinished)} unfinished` : ""].filter(Boolean);
  return `${several(number(each, "levels"), "level")} deep, ${several(number(each, "calls"), "call")}, ${ends.join(", ")}`;
}
