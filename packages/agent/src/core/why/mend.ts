import { type Entry, type Selector, selectorText } from "../entry.ts";
import type { WhyFacts } from "./facts.ts";
import { selectorKind, selectorRest } from "./near.ts";
import type { Judged, NearestEntry } from "./nearest-entries.ts";

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

/** How an entry is made to fit. */
export interface Change {
  /** What to know before, a sentence; empty if nothing. */
  readonly first: string;
  readonly command: string;
}

/**
 * Makes an entry fit the caller. Which entry was meant only the operator knows: until they said so (`want`) the command
 * asks again, and names the ID. What serves a process now is left as it is, and another entry is made beside it. What
 * the agent does not know of an entry (lifetimes, DNS names) is for the operator to look up.
 */
export function changeEntry(near: NearestEntry, facts: WhyFacts): Change {
  const { entry } = near;
  if (facts.want === undefined) {
    return {
      first: `If ${entry.spiffeId} is what it should be:`,
      command: `bonafide why ${facts.about ?? "--pid PID"} --want ${word(entry.spiffeId)}`,
    };
  }
  const create = createLike(entry, correctedSelectors(near));
  if (facts.serving?.has(entry.id) === true) {
    return {
      first: "It serves another process now: leave it, and make another one beside it.",
      command: create,
    };
  }
  return {
    first: `bonafide entry show ${entry.id} shows what else it says; take it over.`,
    command: `${create} && bonafide entry delete ${entry.id}`,
  };
}

/** What the entry would have to say; facts that nobody observed stay as they are. */
function correctedSelectors({ judged }: NearestEntry): readonly string[] {
  return [...new Set(judged.flatMap(correctedSelector))];
}

function correctedSelector(judged: Judged): readonly string[] {
  switch (judged.kind) {
    case "near_miss":
      return [judged.near.meant];
    case "unknown_kind": {
      const rest = selectorRest(judged.wanted);
      return [`${judged.nearestKind}${rest === "" ? "" : `:${rest}`}`];
    }
    case "contradicted":
      return judged.observed.slice(0, 1).map((selector) => selectorText(selector));
    case "present":
    case "not_observed":
      return [selectorText(judged.wanted)];
    default:
      return judged satisfies never;
  }
}

function createLike(entry: Entry, selectors: readonly string[]): string {
  const flags = [
    `--spiffe-id ${word(entry.spiffeId)}`,
    `--parent-id ${word(entry.parentId ?? "PARENT")}`,
    ...selectors.map((text) => `--selector ${word(text)}`),
    ...entry.federatesWith.map((name) => `--federates-with ${word(name)}`),
    ...(entry.hint === "" ? [] : [`--hint ${word(entry.hint)}`]),
    ...(entry.admin ? ["--admin"] : []),
    ...(entry.downstream ? ["--downstream"] : []),
    ...(entry.expiresAt === 0n ? [] : [`--expires-at ${entry.expiresAt}`]),
  ];
  return `bonafide entry create ${flags.join(" ")}`;
}

/** Quotes a word for a POSIX shell, only where it is needed. */
export function word(text: string): string {
  return /^[\w:/.,@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The agent's own trust domain; undefined before it has an ID. */
export function trustDomain(facts: WhyFacts): string | undefined {
  return facts.agentId?.slice("spiffe://".length).split("/", 1)[0];
}
