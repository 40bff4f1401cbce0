/** Loading of the list of tracks, in pages. */
import { useEffect, useState } from "preact/hooks";
import { type Query, request } from "../api";
import type { Track, TrackPage } from "../api_types";

const FIRST_PAGE = 500;
const PAGE = 2_000;
export const MAX_TRACKS = 20_000;

export interface Tracks {
  tracks: Track[];
  total: number;
  loading: boolean;
  error: string | null;
}

/** Load the tracks that match, up to MAX_TRACKS. */
export function useTracks(query: Query, revision: number): Tracks {
  const [found, setFound] = useState<Tracks>({ tracks: [], total: 0, loading: true, error: null });
  const key = JSON.stringify(query);
  useEffect(() => {
    const abort = new AbortController();
    const load = async () => {
      let tracks: Track[] = [];
      for (let total = Infinity; tracks.length < Math.min(total, MAX_TRACKS); ) {
        const limit = tracks.length ? PAGE : FIRST_PAGE;
        const page = await request<TrackPage>("tracks", { ...query, offset: tracks.length, limit }, abort.signal);
        if (abort.signal.aborted) return;
        tracks = [...tracks, ...page.tracks];
        total = page.total;
        const isLast = !page.tracks.length || tracks.length >= Math.min(total, MAX_TRACKS);
        setFound({ tracks, total, loading: !isLast, error: null });
        if (isLast) return;
      }
    };
    setFound((before) => ({ ...before, loading: true, error: null }));
    load().catch((error: Error) => !abort.signal.aborted && setFound((before) => ({ ...before, loading: false, error: error.message })));
    return () => abort.abort();
  }, [key, revision]);
  return found;
}
