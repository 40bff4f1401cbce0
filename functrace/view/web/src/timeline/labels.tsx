/** Names of processes and tracks beside the canvas. */
import { Icon } from "../parts/icon";
import { count, several } from "../units";
import { type Folding, groupKey, type Lane, trackKey } from "./lanes";

const INDENT_PX = 10;
const MAX_INDENT = 6;

interface Props {
  lanes: Lane[];
  folding: Folding;
  toggle: (set: keyof Folding, key: string) => void;
}

export function Labels({ lanes, folding, toggle }: Props) {
  return (
    <>
      {lanes.map((lane) => lane.track
        ? <TrackLabel key={trackKey(lane.track.id)} lane={lane} folding={folding} toggle={toggle} />
        : <GroupLabel key={groupKey(lane.trace?.id ?? -1)} lane={lane} folding={folding} toggle={toggle} />)}
    </>
  );
}

function GroupLabel({ lane, folding, toggle }: Omit<Props, "lanes"> & { lane: Lane }) {
  const trace = lane.trace;
  const key = groupKey(trace?.id ?? -1);
  const isClosed = folding.closed.has(key);
  const name = trace ? trace.service || trace.program || trace.name : "process";
  return (
    <div class="label group" style={placeOf(lane)}>
      <button type="button" class="plain" aria-expanded={!isClosed} aria-label={`Process ${name}`} onClick={() => toggle("closed", key)}>
        <Icon name={isClosed ? "right" : "down"} />
        <strong title={trace?.path}>{name}</strong>
        {trace ? <span class="muted">{trace.pid} · {several(trace.tracks, trace.language === "go" ? "goroutine" : "track")}</span> : null}
      </button>
    </div>
  );
}

function TrackLabel({ lane, folding, toggle }: Omit<Props, "lanes"> & { lane: Lane }) {
  const track = lane.track!;
  const key = trackKey(track.id);
  const isClosed = folding.closed.has(key);
  const indent = Math.min(lane.level, MAX_INDENT) * INDENT_PX;
  return (
    <div class="label" style={{ ...placeOf(lane), paddingLeft: `${4 + indent}px` }}>
      <button
        type="button"
        class="plain"
        aria-expanded={!isClosed}
        aria-label={`${track.kind} ${track.name}, ${several(track.calls, "call")}, ${count(track.failed)} failed`}
        title={`${track.kind} ${track.name}\n${track.function}\n${several(track.calls, "call")}, ${count(track.failed)} failed`}
        onClick={() => toggle("closed", key)}
      >
        <Icon name={isClosed ? "right" : "down"} />
        <span class="name">{track.name}</span>
        {track.failed ? <span class="bad">{count(track.failed)}</span> : null}
      </button>
      {lane.rows > 1 ? <span class="function">{track.function}</span> : null}
      {!isClosed && (lane.isCut || folding.whole.has(key)) ? (
        <button type="button" class="more" onClick={() => toggle("whole", key)}>
          {lane.isCut ? `${track.max_depth - lane.rows} deeper` : "fewer"}
        </button>
      ) : null}
    </div>
  );
}

function placeOf(lane: Lane) {
  return { top: `${lane.top}px`, height: `${lane.height}px` };
}
