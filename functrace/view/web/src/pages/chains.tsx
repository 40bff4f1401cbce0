/** The call chains that lead to a function. */
import { useAnswer } from "../api";
import type { Chain, Chains as Found } from "../api_types";
import type { PageProps } from "../app";
import { Answered, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { FilterBar } from "../parts/filter_bar";
import { PageLink } from "../parts/pages";
import { Steps } from "../parts/steps";
import { StoredExample } from "../parts/stored_example";
import { TextField } from "../parts/text_field";
import { address } from "../route";
import { count, duration, several, share } from "../units";

export function Chains({ session, route, revision }: PageProps) {
  const { parameters } = route;
  const name = parameters["function"];
  const answer = useAnswer<Found>("chains", name ? { function: name, errors: parameters["errors"], min_duration: parameters["min_duration"] } : null, revision);
  const choose = (text: string | undefined) => { location.hash = address("chains", { ...parameters, function: text }); };
  return (
    <div class="page">
      <div class="page-head"><h1>Chains</h1><Command text={answer.data?.command} /></div>
      <div class="filters">
        <TextField label="Function" placeholder="e.g. store.Get" value={name} set={choose} />
        <FilterBar page="chains" parameters={parameters} session={session} isOfFunction />
      </div>
      {name ? null : <Nothing>Choose a function: press <kbd>/</kbd> to search, or type its name above.</Nothing>}
      <Answered answer={answer} what="the chains">{(found) => <ChainList found={found} name={name!} isStored={session.store !== undefined} />}</Answered>
    </div>
  );
}

function ChainList({ found, name, isStored }: { found: Found; name: string; isStored: boolean }) {
  return (
    <>
      <dl class="summary">
        <div><dt>Calls</dt><dd>{count(found.calls)}</dd></div>
        <div><dt>Failed</dt><dd class={found.failed ? "bad" : ""}>{count(found.failed)}{found.failed ? <small> {share(found.failed, found.calls)}</small> : null}</dd></div>
        <div><dt>Chains</dt><dd>{count(found.chains.length + found.more_chains)}</dd></div>
        <div><dt>Total</dt><dd>{duration(found.total_ns)}</dd></div>
        <div><dt>Median</dt><dd>{duration(found.p50_ns)}</dd></div>
        <div><dt>p99</dt><dd>{duration(found.p99_ns)}</dd></div>
      </dl>
      <div class="actions spaced">
        <PageLink class="action" page="source" parameters={{ function: name }}>Source</PageLink>
        <PageLink class="action" page="calls" parameters={{ include: name }}>Calls</PageLink>
        <PageLink class="action" page="flame" parameters={{ function: name, direction: "callers" }}>Callers as flame graph</PageLink>
        <PageLink class="action" page="timeline" parameters={{ find: name }}>Highlight on the timeline</PageLink>
      </div>
      {found.sampled ? <p class="nothing">only a part of the calls was examined, there were too many</p> : null}
      {found.chains.map((chain, index) => <ChainCard key={index} chain={chain} all={found.calls} isStored={isStored} />)}
      {found.more_chains ? <Nothing>{several(found.more_chains, "more chain")} not shown</Nothing> : null}
    </>
  );
}

function ChainCard({ chain, all, isStored }: { chain: Chain; all: number; isStored: boolean }) {
  const service = isStored ? chain.steps[0]?.service : undefined;
  return (
    <article class={`finding chain-card ${chain.failed ? "bad-edge" : ""}`}>
      <div class="figures">
        {service ? <span class="muted">{service}</span> : null}
        <span class="share-bar" title={share(chain.calls, all)}><span style={{ width: `${all ? (100 * chain.calls) / all : 0}%` }} /></span>
        <span>{several(chain.calls, "call")}</span>
        <span class={chain.failed ? "bad" : "zero"}>{count(chain.failed)} failed</span>
        {chain.partial ? <span class="muted">{count(chain.partial)} with missing callers</span> : null}
        <span>median {duration(chain.p50_ns)}</span>
        <span>p99 {duration(chain.p99_ns)}</span>
        {chain.links?.timeline ? <a class="action" href={chain.links.timeline}>{chain.example?.reason ? `Example: ${chain.example.reason}` : "Example"}</a> : null}
        <StoredExample example={chain.example} />
      </div>
      <Steps steps={chain.steps} />
      {chain.failures.map((failure, index) => (
        <p key={index} class="error-text"><span class="figure">{count(failure.calls)}×</span> {failure.pattern}</p>
      ))}
    </article>
  );
}
