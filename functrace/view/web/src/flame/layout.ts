/** Places of the nodes of a flame graph: shares of the width across, levels downwards. */
import type { Flame, FlameNode } from "../api_types";

export type Measure = "time" | "calls";

export interface Box {
  node: FlameNode;
  parent: Box | null;
  children: Box[];
  level: number;
  /** From 0 to 1 of all. */
  left: number;
  width: number;
}

/** Return the roots and all boxes of the tree; parents are before their children. */
export function placeNodes(flame: Flame, measure: Measure): Box[] {
  const children = new Map<number | null, FlameNode[]>();
  const known = new Set(flame.nodes.map((node) => node.id));
  for (const node of flame.nodes) {
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(node);
    else children.set(parent, [node]);
  }
  const size = sizeOf(flame, measure);
  const roots = children.get(null) ?? [];
  const whole = roots.reduce((sum, node) => sum + size(node), 0) || 1;
  const boxes: Box[] = [];
  const place = (nodes: FlameNode[], parent: Box | null, left: number, room: number) => {
    const sum = nodes.reduce((total, node) => total + size(node), 0);
    const scale = Math.min(1 / whole, sum ? room / sum : 0); // children of merged tracks may exceed their parent
    for (const node of [...nodes].sort((a, b) => size(b) - size(a))) {
      const width = size(node) * scale;
      const box = { node, parent, children: [], level: parent ? parent.level + 1 : 0, left, width };
      parent?.children.push(box);
      boxes.push(box);
      left += width;
    }
  };
  place(roots, null, 0, 1);
  for (let index = 0; index < boxes.length; index++) {
    const box = boxes[index]!;
    place(children.get(box.node.id) ?? [], box, box.left, box.width);
  }
  return boxes;
}

/** With two selections, both shares count, so that what only one of them has is visible too. */
function sizeOf(flame: Flame, measure: Measure): (node: FlameNode) => number {
  if (!isComparison(flame)) return (node) => (measure === "calls" ? node.calls : node.total_ns);
  const [own, other] = wholes(flame, measure);
  return (node) => (measure === "calls" ? node.calls : node.total_ns) / own + otherOf(node, measure) / other;
}

export function isComparison(flame: Flame): boolean {
  return flame.nodes.some((node) => node.other_calls !== undefined);
}

/** Return how much larger the share of a node is than in the other selection, from -1 to 1. */
export function differenceOf(flame: Flame, node: FlameNode, measure: Measure): number {
  const [own, other] = wholes(flame, measure);
  return (measure === "calls" ? node.calls : node.total_ns) / own - otherOf(node, measure) / other;
}

function otherOf(node: FlameNode, measure: Measure): number {
  return (measure === "calls" ? node.other_calls : node.other_total_ns) ?? 0;
}

function wholes(flame: Flame, measure: Measure): [number, number] {
  const roots = flame.nodes.filter((node) => node.parent === null);
  const own = roots.reduce((sum, node) => sum + (measure === "calls" ? node.calls : node.total_ns), 0);
  return [own || 1, roots.reduce((sum, node) => sum + otherOf(node, measure), 0) || 1];
}
