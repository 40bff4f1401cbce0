/** A call chain in one paragraph: `main.main → main.serve ⇢ store.Get`. */
import { useState } from "preact/hooks";
import type { Step } from "../api_types";
import { address } from "../route";

const FIRST = 2;
const LAST = 6;

/** Show the chain; the middle of a long one appears on demand. */
export function Steps({ steps }: { steps: Step[] }) {
  const [isWhole, setWhole] = useState(steps.length <= FIRST + LAST + 1);
  const hidden = isWhole ? 0 : steps.length - FIRST - LAST;
  return (
    <ol class="steps">
      {steps.map((step, index) => {
        if (hidden && index === FIRST) {
          return (
            <li key={index}>
              <Arrow step={step} />
              <button type="button" class="more" onClick={() => setWhole(true)}>{hidden} more</button>
            </li>
          );
        }
        if (hidden && index > FIRST && index < FIRST + hidden) return null;
        return (
          <li key={index}>
            {index ? <Arrow step={step} /> : null}
            <a href={address("source", { function: step.function })} title={placeOf(step)} class={index === steps.length - 1 ? "last" : ""}>
              {step.function}
            </a>
          </li>
        );
      })}
    </ol>
  );
}

function Arrow({ step }: { step: Step }) {
  if (!step.started) return <span class="arrow" aria-label="calls">→</span>;
  const kind = step.started_at?.kind ?? "unknown";
  const place = step.started_at?.file ? ` at ${step.started_at.file}:${step.started_at.line}` : "";
  return <span class="arrow started" aria-label="starts" title={`starts a track (${kind})${place}`}>⇢</span>;
}

export function placeOf(place: { file?: string; line?: number }): string {
  return place.file ? `${place.file}:${place.line}` : "";
}
