import { type Selector, selectorText } from "../entry.ts";
import type { WhyFacts } from "./facts.ts";
import { selectorKind } from "./near.ts";

/** Kinds that tell workloads apart best, in the order in which a proposal takes them. */
const PROPOSED = ["launcher:name", "unix:uid"];

/** A ready-made `entry create` for what was observed; `want` or a placeholder as its ID. */
export function createEntryCommand(facts: WhyFacts, want: string | undefined): string {
  const proposed = PROPOSED.flatMap((kind) =>
    facts.selectors.filter((selector) => selectorKind(selector) === kind),
  );
  const selectors = (proposed.length > 0 ? proposed : facts.selectors.slice(0, 1)).map(flag);
  const parent = facts.agentId ?? "AGENT-ID";
  const id = want ?? `spiffe://${trustDomain(facts) ?? "TRUST-DOMAIN"}/NAME`;
  return `bonafide entry create --spiffe-id ${word(id)} --parent-id ${word(parent)}${selectors.join("")}`;
}

function flag(selector: Selector): string {
  return ` --selector ${word(selectorText(selector))}`;
}

/** Quotes a word for a POSIX shell, only where it is needed. */
export function word(text: string): string {
  return /^[\w:/.,@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function trustDomain(facts: WhyFacts): string | undefined {
  return facts.agentId?.slice("spiffe://".length).split("/", 1)[0];
}
