import { assertNever } from "../assert-never.ts";
import { type Selector, selectorText } from "../entry.ts";
import type { Cause } from "./causes.ts";
import type { ForeignEntry, WhyFacts } from "./facts.ts";
import { word } from "./mend.ts";
import { compareNearest, isRelated, judgeEntry } from "./nearest-entries.ts";

/** What entries that do not reach this node explain. */
export interface ForeignCauses {
  /** From the nearest entry that would fit the caller if it reached this node. */
  readonly fits: readonly Cause[];
  /** From the nearest one that comes near, or is the wanted one, without fitting. */
  readonly near: readonly Cause[];
}

/** Looks for the caller's entry among those that the server has and this agent has not. */
export function explainForeign(facts: WhyFacts): ForeignCauses {
  const held = new Set(facts.entries.map(({ id }) => id));
  const judged = facts.elsewhere
    .filter(({ entry }) => !held.has(entry.id) && entry.selectors.length > 0)
    .filter(({ entry }) => facts.want === undefined || entry.spiffeId === facts.want)
    .map((foreign) => ({ foreign, near: judgeEntry(foreign.entry, facts) }))
    .toSorted(
      (a, b) =>
        a.near.missing - b.near.missing ||
        LIKELY[a.foreign.parent.kind] - LIKELY[b.foreign.parent.kind] ||
        compareNearest(a.near, b.near),
    );
  const fits = judged.find(({ near }) => near.missing === 0);
  const next = judged.find(
    ({ near }) => near.missing > 0 && (facts.want !== undefined || isRelated(near)),
  );
  return {
    fits: fits === undefined ? [] : [explainParent(fits.foreign, facts)],
    near: next === undefined ? [] : [explainParent(next.foreign, facts)],
  };
}

/** Which of two equally fitting entries was more likely meant for this node. */
const LIKELY: Readonly<Record<ForeignEntry["parent"]["kind"], number>> = {
  this_agent: 0,
  former_agent: 1,
  unknown: 2,
  alias: 3,
  agent: 4,
};

function explainParent({ entry, parent }: ForeignEntry, facts: WhyFacts): Cause {
  const agent = facts.agentId ?? "AGENT-ID";
  const what = `entry ${entry.id} (${entry.spiffeId})`;
  const again = (parentId: string): string =>
    `bonafide entry create --spiffe-id ${word(entry.spiffeId)} --parent-id ${word(parentId)}` +
    entry.selectors.map((selector) => ` --selector ${word(selectorText(selector))}`).join("");
  switch (parent.kind) {
    case "this_agent":
      return {
        code: "sync.not_yet_seen",
        says: `${what} has revision ${entry.revision}, and this agent's picture is of revision ${facts.freshness.revision}`,
        hint: `It comes with the next sync: ${facts.freshness.nextSync}.`,
      };
    case "former_agent":
      return {
        code: "entry.parent_superseded",
        says: `${what} belongs to ${entry.parentId}, an earlier ID of this agent, which is now ${agent}`,
        hint: `Parent the entry to ${agent} in place of ${entry.parentId}; a node alias survives the next re-attestation.`,
        command: again(agent),
      };
    case "alias": {
      const { nodeSelectors } = facts;
      const has = new Set(nodeSelectors?.map((selector) => selectorText(selector)));
      const wanted = parent.selectors.map((selector) => selectorText(selector));
      const missing = wanted.filter((text) => !has.has(text)).join(", ");
      const own = ownText(nodeSelectors);
      return {
        code: "entry.alias_not_matched",
        says: `${what} belongs to the alias ${parent.id}, which wants ${missing}; ${own}`,
        hint: `Make the alias fit this node (${missing}; ${own}), or parent the entry to ${agent}.`,
        command: again(agent),
      };
    }
    case "agent":
      return {
        code: "entry.other_node",
        says: `${what} belongs to the node ${entry.parentId}; this one is ${agent}`,
        hint: `Make the entry for this node too, or use a node alias that covers both ${entry.parentId} and ${agent}.`,
        command: again(agent),
      };
    case "unknown":
      return {
        code: "entry.parent_unknown",
        says: `${what} has the parent ${entry.parentId}, which is no attested agent and no alias`,
        hint: `The nearest one is ${parent.nearest ?? agent}; write it as the parent.`,
        command: again(parent.nearest ?? agent),
      };
    default:
      return assertNever(parent);
  }
}

/** What is known of the node's own selectors, in words. */
function ownText(selectors: readonly Selector[] | undefined): string {
  if (selectors === undefined) return "this node's own selectors are known to the server only";
  if (selectors.length === 0) return "this node has no selectors";
  return `this node has ${selectors.map((selector) => selectorText(selector)).join(", ")}`;
}
