import { selectorText } from "../entry.ts";
import { type Cause, CAUSES } from "./causes.ts";
import { explainAgent, explainArrival, explainFreshness } from "./explain-agent.ts";
import { explainEntry } from "./explain-entry.ts";
import { explainForeign } from "./explain-foreign.ts";
import type { WhyFacts } from "./facts.ts";
import { createEntryCommand, trustDomain } from "./mend.ts";
import { compareNearest, isRelated, judgeEntry, type NearestEntry } from "./nearest-entries.ts";

/** How many of the nearest entries an answer shows. */
const NEAREST_SHOWN = 3;

/** The answer to "why did it get no identity?", for operators (ADR-0073). */
export interface WhyAnswer {
  /** The lowest broken rung; absent when nothing is wrong. */
  readonly first: Cause | undefined;
  /** Further causes, lowest rung first. */
  readonly also: readonly Cause[];
  /** SPIFFE IDs that the caller gets. */
  readonly identities: readonly string[];
  /**
   * The entries that come nearest, this node's only, by the number of facts that differ: a few, and none that fits. With
   * a wanted ID those of that ID; without one those that differ by as few facts as the nearest, or by one more.
   */
  readonly nearest: readonly NearestEntry[];
}

/**
 * Explains one caller's case along the ladder of docs/why.md: socket, protocol, caller, attestors, agent, freshness,
 * entry, selectors, signing. The lowest broken rung is the first cause. Pure; the same facts give the same answer.
 */
export function why(facts: WhyFacts): WhyAnswer {
  const arrival = explainArrival(facts);
  // A caller that was never seen has no facts to compare entries with.
  const wasSeen = facts.socket === undefined && facts.caller.kind === "seen";
  const judged = facts.entries
    .filter((entry) => entry.selectors.length > 0 && !entry.storeSvid)
    .map((entry) => judgeEntry(entry, facts))
    .toSorted(compareNearest);
  const fitting = wasSeen ? judged.filter(({ missing }) => missing === 0) : [];
  const served = fitting.filter(
    ({ entry }) => facts.want === undefined || entry.spiffeId === facts.want,
  );
  const causes = [...arrival, ...explainAgent(facts), ...explainFreshness(facts)];
  if (wasSeen) {
    if (served.length > 0) causes.push(...explainSigning(facts));
    else causes.push(...explainEntries(facts, judged));
  }
  // With valid identities at hand a server that is away is no refusal's cause.
  const relevant =
    served.length > 0 && facts.signingFailure === undefined
      ? causes.filter(({ code }) => code !== "sync.server_away")
      : causes;
  const [first, ...also] = relevant.toSorted((a, b) => CAUSES[a.code].rung - CAUSES[b.code].rung);
  return {
    first,
    also,
    identities: fitting.map(({ entry }) => entry.spiffeId),
    nearest: nearestOf(facts, judged),
  };
}

function nearestOf({ want }: WhyFacts, judged: readonly NearestEntry[]): readonly NearestEntry[] {
  const lacking = judged.filter(({ missing }) => missing > 0);
  const meant =
    want === undefined
      ? lacking.filter((near) => isRelated(near))
      : lacking.filter(({ entry }) => entry.spiffeId === want);
  const least = meant[0]?.missing ?? 0;
  return meant
    .filter(({ missing }) => want !== undefined || missing <= least + 1)
    .slice(0, NEAREST_SHOWN);
}

function explainEntries(facts: WhyFacts, judged: readonly NearestEntry[]): Cause[] {
  const foreign = explainForeign(facts);
  // An entry that fits, only elsewhere, is what was meant; the neighbours here are other people's.
  if (foreign.fits.length > 0) return [...foreign.fits];
  const wanted =
    facts.want === undefined
      ? judged.filter((near) => isRelated(near))
      : judged.filter(({ entry }) => entry.spiffeId === facts.want);
  const [candidate] = wanted;
  if (candidate !== undefined) return explainEntry(candidate, facts);
  if (foreign.near.length > 0) return [...foreign.near];
  // An agent that never heard of its entries knows nothing of what exists.
  if (facts.standing.kind !== "good" && facts.entries.length === 0) return [];
  return [none(facts)];
}

function none(facts: WhyFacts): Cause {
  const own = trustDomain(facts);
  if (facts.want !== undefined && own !== undefined && !facts.want.startsWith(`spiffe://${own}/`)) {
    return {
      code: "entry.none",
      says: `${facts.want} is of another trust domain than this agent, whose is ${own}`,
      hint: `An agent gives identities of its own trust domain alone: ask for one that begins with spiffe://${own}/.`,
    };
  }
  const observed = facts.selectors.map((selector) => selectorText(selector)).join(" ");
  return {
    code: "entry.none",
    says:
      facts.want === undefined
        ? `no entry of this node comes near to what was observed: ${observed === "" ? "nothing" : observed}`
        : `this agent has no entry for ${facts.want}; observed was: ${observed === "" ? "nothing" : observed}`,
    hint: "Create an entry from the observed selectors.",
    command: createEntryCommand(facts, facts.want),
  };
}

function explainSigning(facts: WhyFacts): Cause[] {
  if (facts.signingFailure === undefined) return [];
  return [
    {
      code: "signing.failed",
      says: `the entry fits, and the server did not sign: ${facts.signingFailure}`,
      hint: "Look at the server's log; the agent tries again by itself.",
      command: "bonafide server healthcheck",
    },
  ];
}
