/** Drawing of services from left to right, callers before callees. */
import type { Services, ServiceEdge } from "../api_types";
import { count, share } from "../units";
import { type Box, placeServices, SIZE } from "./service_layout";

interface Props {
  found: Services;
  chosen: string | null;
  choose: (name: string) => void;
}

export function ServiceGraph({ found, chosen, choose }: Props) {
  const { boxes, width, height } = placeServices(found);
  const most = Math.max(1, ...found.edges.map((edge) => edge.calls));
  return (
    <div class="scroll-x graph-box" tabIndex={0} role="region" aria-label="Graph of services">
      <svg class="graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Services">
        <defs>
          {["plain", "bad"].map((tone) => (
            <marker key={tone} id={`head-${tone}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">
              <path d="M0 0 8 4 0 8z" class={`head ${tone}`} />
            </marker>
          ))}
        </defs>
        {pairs(found.edges).map((edge) => <Edge key={`${edge.from}\n${edge.to}`} edge={edge} boxes={boxes} most={most} isDimmed={chosen !== null && edge.from !== chosen && edge.to !== chosen} />)}
        {found.services.map((service) => {
          const box = boxes.get(service.name)!;
          const failed = service.inbound_failed;
          return (
            <g
              key={service.name}
              class={`service ${service.external ? "external" : ""} ${service.name === chosen ? "chosen" : ""} ${failed ? "failing" : ""}`}
              transform={`translate(${box.x} ${box.y})`}
              role="button"
              tabIndex={0}
              aria-pressed={service.name === chosen}
              aria-label={`${service.name}, ${count(service.inbound)} requests received, ${count(failed)} failed`}
              onClick={() => choose(service.name)}
              onKeyDown={(event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(service.name); } }}
            >
              <rect width={SIZE.width} height={SIZE.height} rx="5" />
              <text x="12" y="20" class="name">{shorten(service.name)}</text>
              <text x="12" y="37" class="muted">
                {service.external ? "external" : `${count(service.inbound)} in`}
                {failed ? <tspan class="bad" dx="6">{`${count(failed)} failed`}</tspan> : null}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** Add the routes between the same two services. */
function pairs(edges: ServiceEdge[]): { from: string; to: string; calls: number; failed: number }[] {
  const found = new Map<string, { from: string; to: string; calls: number; failed: number }>();
  for (const { from, to, calls, failed } of edges) {
    const sum = found.get(`${from}\n${to}`) ?? { from, to, calls: 0, failed: 0 };
    found.set(`${from}\n${to}`, { from, to, calls: sum.calls + calls, failed: sum.failed + failed });
  }
  return [...found.values()];
}

function Edge({ edge, boxes, most, isDimmed }: { edge: { from: string; to: string; calls: number; failed: number }; boxes: Map<string, Box>; most: number; isDimmed: boolean }) {
  const [start, end] = [boxes.get(edge.from), boxes.get(edge.to)];
  if (!start || !end) return null;
  const [x1, y1] = [start.x + SIZE.width, start.y + SIZE.height / 2];
  const [x2, y2] = [end.x - 2, end.y + SIZE.height / 2];
  const bend = x2 > x1 ? (x2 - x1) / 2 : 70;
  const sag = x2 > x1 ? 0 : SIZE.height; // back to an earlier column: below the boxes
  const tone = edge.failed ? "bad" : "plain";
  return (
    <g class={`edge ${tone} ${isDimmed ? "dimmed" : ""}`}>
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1 + sag} ${x2 - bend} ${y2 + sag} ${x2} ${y2}`} stroke-width={1 + 3 * Math.sqrt(edge.calls / most)} marker-end={`url(#head-${tone})`} />
      <text x={(x1 + x2) / 2} y={(y1 + y2) / 2 - 7 + sag * 0.75} text-anchor="middle">
        {count(edge.calls)}{edge.failed ? <tspan class="bad" dx="5">{share(edge.failed, edge.calls)}</tspan> : null}
      </text>
    </g>
  );
}

function shorten(name: string): string {
  return name.length > 22 ? `${name.slice(0, 21)}…` : name;
}
