/** Where the example of a chain of a store was recorded. */
import type { Example } from "../api_types";

export function StoredExample({ example }: { example: Example | null | undefined }) {
  if (!example?.time_ns) return null;
  const time = new Date(example.time_ns / 1e6).toISOString();
  return <span class="muted">example at {time} on track {example.track} of {example.trace}</span>;
}
