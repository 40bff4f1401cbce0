/** Polling of a live trace. */
import { useEffect, useState } from "preact/hooks";
import { request } from "./api";
import type { Live } from "./api_types";

const PERIOD_MS = 1000;

/** Return a number that grows with a live trace; 0 until it has changed once. */
export function useLiveRevision(isLive: boolean): number {
  const [revision, setRevision] = useState(0);
  useEffect(() => {
    if (!isLive) return;
    let timer = 0;
    const poll = async () => {
      const answer = await request<Live>("live").catch(() => null);
      if (answer) setRevision(answer.revision);
      timer = window.setTimeout(poll, PERIOD_MS);
    };
    void poll();
    return () => window.clearTimeout(timer);
  }, [isLive]);
  return revision;
}
