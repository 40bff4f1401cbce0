/** The services of a store, and what its figures cover. */
import type { Store } from "../api_types";
import { address } from "../route";
import { count, share } from "../units";

export function StoreSummary({ store }: { store: Store }) {
  const sum = (key: "calls" | "failed" | "process_count") => store.services.reduce((total, service) => total + service[key], 0);
  const failed = sum("failed");
  return (
    <>
      <dl class="summary">
        <div><dt>Calls</dt><dd>{count(sum("calls"))}</dd></div>
        <div><dt>Failed</dt><dd class={failed ? "bad" : ""}>{count(failed)}</dd></div>
        <div><dt>Services</dt><dd>{count(store.services.length)}</dd></div>
        <div><dt>Instances</dt><dd>{count(sum("process_count"))}</dd></div>
      </dl>
      <p class="muted">A store has the figures of call chains: no timeline, single calls or sources.</p>
    </>
  );
}

export function StoredServices({ store }: { store: Store }) {
  return (
    <section class="traces">
      <h2>Services</h2>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Services">
        <table>
          <thead><tr><th>Service</th><th>Releases</th><th class="n">Instances</th><th class="n">Calls</th><th class="n">Failed</th></tr></thead>
          <tbody>
            {store.services.map((service) => (
              <tr key={service.name}>
                <td><a href={address("flame", { service: service.name })}>{service.name}</a></td>
                <td>{service.releases.join(", ")}</td>
                <td class="n">{count(service.process_count)}</td>
                <td class="n">{count(service.calls)}</td>
                <td class={`n ${service.failed ? "bad" : "zero"}`}>{count(service.failed)}{service.failed ? ` (${share(service.failed, service.calls)})` : ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {store.notes.map((note) => <p key={note} class="muted">{note}</p>)}
    </section>
  );
}
