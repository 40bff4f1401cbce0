import { useEffect, useState } from "preact/hooks";

const PAUSE_MS = 250;

/** A text field that passes on what was typed after a pause. */
export function TextField({ label, value = "", placeholder, set }: { label: string; value: string | undefined; placeholder?: string; set: (text: string | undefined) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    const timer = text === value ? 0 : window.setTimeout(() => set(text || undefined), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return (
    <label class="field">
      {label}
      <input type="search" placeholder={placeholder} value={text} onInput={(event) => setText(event.currentTarget.value)} />
    </label>
  );
}
