import { useEffect, useRef } from "preact/hooks";
import { exactDuration, parseDuration } from "../units";

interface Props {
  label: string;
  /** nanoseconds */
  value: string | undefined;
  set: (ns: number | undefined) => void;
}

/** A field for a duration, which is passed on when it is complete: on Enter, or when the field is left. */
export function DurationField({ label, value, set }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const text = value ? exactDuration(Number(value)) : "";
  useEffect(() => {
    input.current!.value = text;
    input.current!.setCustomValidity("");
  }, [text]);
  const change = (field: HTMLInputElement) => {
    const typed = field.value.trim();
    const ns = parseDuration(typed);
    field.setCustomValidity(typed && ns === null ? "Not a duration; write for example 20us, 1.5ms or 2s." : "");
    if (field.reportValidity()) set(ns || undefined);
  };
  return (
    <label class="field">
      {label}
      <input
        ref={input}
        type="search"
        placeholder="e.g. 1ms"
        onInput={(event) => event.currentTarget.setCustomValidity("")}
        onChange={(event) => change(event.currentTarget)}
      />
    </label>
  );
}
