/** The graph of services, and the requests between them. */
import { useState } from "preact/hooks";
import { useAnswer } from "../api";
import type { ServiceEdge, Services as Found } from "../api_types";
import type { PageProps } from "../app";
import { Answered, Nothing } from "../parts/answer";
import { Command } from "../parts/command";
import { Steps } from "../parts/steps";
import { StoredServices } from "../parts/stored_services";
import { address } from "../route";
import { count, duration, several, share } from "../units";
import { ServiceGraph } from "./service_graph";

export function Services({ session, revision }: PageProps) {
  const answer = useAnswer<Found>("services", session.store ? null : {}, revision);
  return (
    <div class="page wide">
      <div class="page-head"><h1>Services</h1><Command text={answer.data?.command ?? `functrace services ${session.arguments}`} /></div>
      {session.store ? <><Nothing>which service calls which requires traces: a store has no joins of requests</Nothing><StoredServices store={session.store} /></> : null}
      <Answered answer={answer} what="the services">{(found) => <Graph found={found} />}</Answered>
    </div>
  );
}

function Graph({ found }: { found: Found }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const edges = found.edges.filter((edge) => !chosen || edge.from === chosen || edge.to === chosen);
  if (!found.edges.length && found.services.length < 2) return <Nothing>no requests between services were recorded</Nothing>;
  return (
    <>
      <ServiceGraph found={found} chosen={chosen} choose={(name) => setChosen(name === chosen ? null : name)} />
      {found.notes.length ? <div class="warning">{found.notes.map((note, index) => <div key={index}>{note}</div>)}</div> : null}
      <h2 class="spaced">Requests {chosen ? <small>of {chosen}</small> : null}</h2>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Requests">
        <table>
          <thead><tr><th>From</th><th>To</th><th>Route</th><th class="n">Calls</th><th class="n">Failed</th><th class="n">Median</th><th class="n">p99</th><th>Chains</th></tr></thead>
          <tbody>{edges.map((edge, index) => <EdgeRow key={index} edge={edge} />)}</tbody>
        </table>
      </div>
    </>
  );
}

function EdgeRow({ edge }: { edge: ServiceEdge }) {
  const [isOpen, setOpen] = useState(false);
  const missing = [edge.unfinished ? `${count(edge.unfinished)} unfinished` : "", edge.not_received ? `${count(edge.not_received)} not received` : ""].filter(Boolean);
  return (
    <>
      <tr>
        <td>{edge.from}</td>
        <td><a href={address("timeline", { service: edge.to })}>{edge.to}</a></td>
        <td class="name">{edge.route}</td>
        <td class="n" title={missing.join(", ")}>{count(edge.calls)}{missing.length ? "*" : ""}</td>
        <td class={`n ${edge.failed ? "bad" : "zero"}`}>{count(edge.failed)}{edge.failed ? ` (${share(edge.failed, edge.calls)})` : ""}</td>
        <td class="n">{duration(edge.p50_ns)}</td>
        <td class="n">{duration(edge.p99_ns)}</td>
        <td>{edge.chains.length ? <button type="button" class="more" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{several(edge.chains.length, "chain")}</button> : null}</td>
      </tr>
      {isOpen ? edge.chains.map((chain, index) => (
        <tr key={index} class="note">
          <td colSpan={8}>
            <span class="figures"><span>{several(chain.calls, "call")}</span><span class={chain.failed ? "bad" : "zero"}>{count(chain.failed)} failed</span></span>
            <Steps steps={chain.steps} />
          </td>
        </tr>
      )) : null}
    </>
  );
}
