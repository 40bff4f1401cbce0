import { Dialog } from "./dialog";

const KEYS: [string, [string[], string][]][] = [
  ["Everywhere", [
    [["/"], "search functions"],
    [["?"], "this list"],
    [["Esc"], "close what is open, clear the selection"],
  ]],
  ["Timeline", [
    [["W", "S"], "zoom in and out at the pointer"],
    [["A", "D"], "move to earlier and later times"],
    [["F"], "fit the selected call, or all"],
    [["Ctrl", "wheel"], "zoom"],
    [["Shift", "wheel"], "move in time"],
    [["Shift", "drag"], "select a range of time"],
    [["drag"], "move"],
    [["double click"], "zoom to a call"],
  ]],
  ["Flame graph", [
    [["click"], "zoom to a function"],
    [["Esc"], "show all again"],
  ]],
];

export function Help({ close }: { close: () => void }) {
  return (
    <Dialog title="Keys" close={close}>
      {KEYS.map(([title, rows]) => (
        <section key={title} class="keys">
          <h3>{title}</h3>
          <dl>
            {rows.map(([keys, meaning]) => (
              <div key={meaning}>
                <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
