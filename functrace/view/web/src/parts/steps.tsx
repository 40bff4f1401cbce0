/** A call chain in one paragraph: `main.main → main.serve ⇢ store.Get`. */
import { useContext } from "preact/hooks";
import type { Step } from "../api_types";
import { address } from "../route";
import { useFolding } from "./folding";
import { ShownPages } from "./pages";

/** Show the chain; the middle of a long one appears on demand. */
export function Steps({ steps }: { steps: Step[] }) {
  const folding = useFolding(steps.length);
  const page = useContext(ShownPages).includes("source") ? "source" : "chains";
  return (
    <ol class="steps">
      {steps.map((step, index) => {
        if (index === folding.first) {
          return (
            <li key={index}>
              <Arrow step={step} />
              <button type="button" class="more" onClick={folding.open}>{folding.count} more</button>
            </li>
          );
        }
        if (folding.isHidden(index)) return null;
        return (
          <li key={index}>
            {index ? <Arrow step={step} /> : null}
            <a href={address(page, { function: step.function })} title={placeOf(step)} class={index === steps.length - 1 ? "last" : ""}>
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
