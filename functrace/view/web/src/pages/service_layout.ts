/** Places of services in columns: each is to the right of its callers, cycles aside. */
import type { Services } from "../api_types";

export const SIZE = { width: 176, height: 48 };
const SPACE = { across: 120, down: 26 };
const MARGIN = 16;

export interface Box {
  x: number;
  y: number;
}

export function placeServices(found: Services): { boxes: Map<string, Box>; width: number; height: number } {
  const columns = columnsOf(found);
  const tallest = Math.max(1, ...columns.map((column) => column.length));
  const height = 2 * MARGIN + tallest * (SIZE.height + SPACE.down);
  const boxes = new Map<string, Box>();
  columns.forEach((names, column) => {
    const free = height - names.length * (SIZE.height + SPACE.down);
    names.forEach((name, row) => boxes.set(name, { x: MARGIN + column * (SIZE.width + SPACE.across), y: (free + SPACE.down) / 2 + row * (SIZE.height + SPACE.down) }));
  });
  return { boxes, width: 2 * MARGIN + columns.length * (SIZE.width + SPACE.across) - SPACE.across, height };
}

function columnsOf(found: Services): string[][] {
  const names = found.services.map((service) => service.name);
  const callees = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const { from, to } of found.edges) callees.get(from)?.push(to);
  const called = new Set(found.edges.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const order = callersFirst([...names.filter((name) => !called.has(name)), ...names], callees);
  const place = new Map(order.map((name, index) => [name, index]));
  const level = new Map<string, number>();
  for (const name of order) {
    const own = level.get(name) ?? 0;
    level.set(name, own);
    for (const callee of callees.get(name) ?? []) {
      if (place.get(callee)! > place.get(name)!) level.set(callee, Math.max(level.get(callee) ?? 0, own + 1));
    }
  }
  const columns: string[][] = [];
  for (const name of names) (columns[level.get(name) ?? 0] ??= []).push(name);
  return Array.from(columns, (column) => column ?? []);
}

/** Sort so that callers are before callees, except along one edge of each cycle. */
function callersFirst(names: string[], callees: Map<string, string[]>): string[] {
  const seen = new Set<string>();
  const finished: string[] = [];
  const visit = (name: string) => {
    if (seen.has(name) || !callees.has(name)) return;
    seen.add(name);
    for (const callee of callees.get(name)!) visit(callee);
    finished.push(name);
  };
  names.forEach(visit);
  return finished.reverse();
}
