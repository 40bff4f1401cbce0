/** The equivalent terminal command, to copy. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon";

const CONFIRMED_MS = 1500;

export function Command({ text }: { text: string | undefined }) {
  const [state, setState] = useState<"" | "copied" | "not copied">("");
  useEffect(() => {
    const timer = state ? window.setTimeout(() => setState(""), CONFIRMED_MS) : 0;
    return () => window.clearTimeout(timer);
  }, [state]);
  if (!text) return null;
  const copy = () => navigator.clipboard.writeText(text).then(() => setState("copied"), () => setState("not copied"));
  return (
    <span class="command">
      <code title={text}>{text}</code>
      <button type="button" class="plain" aria-label="Copy command" title="Copy command" onClick={() => void copy()}>
        <Icon name={state === "copied" ? "check" : "copy"} />
      </button>
      <span class="visually-hidden" role="status">{state}</span>
    </span>
  );
}
