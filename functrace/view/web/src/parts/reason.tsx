/** Why the watcher saved the bundle of a trace. */
import type { Reason as Found } from "../api_types";
import { address } from "../route";

export function Reason({ reason }: { reason: Found }) {
  const outer = reason.chain.slice(0, -1);
  return (
    <section class="findings tone-bad" aria-label="Reason of the bundle">
      <h2>Saved by the trigger {reason.trigger}{reason.at === null ? null : <small>{new Date(reason.at * 1000).toISOString()}</small>}</h2>
      <article class="finding">
        <div class="headline"><span>{reason.summary}</span></div>
        {reason.chain.length ? <p class="muted">{outer.map((name) => `${name} → `)}<strong>{reason.chain[outer.length]}</strong></p> : null}
        {reason.also_true.map((sentence) => <p key={sentence} class="muted">also: {sentence}</p>)}
        {reason.function ? <div class="actions"><a class="action" href={address("chains", { function: reason.function })}>Chains</a></div> : null}
      </article>
    </section>
  );
}
