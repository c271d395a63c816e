import { BonafideError } from "@bonafide/errors";
import type { NodeObject, Selector } from "@bonafide/ledger";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, Decide, Known, RegistryView } from "../lane/registry-view.ts";
import { SPIFFE_ID_SELECTOR } from "./authorized-entries.ts";
import { removal } from "./propose-entry.ts";
import { selectorSetKey } from "./selector-set-key.ts";

/** A node as its attestor found it. */
export interface AttestedFacts {
  readonly spiffeId: string;
  readonly attestationType: string;
  readonly selectors: readonly Selector[];
  readonly canReattest: boolean;
}

/**
 * The changes that make a node live. None if it is live already and was found as it was before: re-attestation is soft
 * state.
 *
 * A node that was evicted keeps the place of its eviction, so that SVIDs from before stay dead.
 *
 * @throws AGENT_BANNED
 */
export function nodeChanges(view: RegistryView, facts: AttestedFacts): readonly Change[] {
  const known = view.find("node", facts.spiffeId);
  if (known?.object.state === "banned") {
    throw new BonafideError(SERVER_ERRORS, "AGENT_BANNED", "the agent is banned");
  }
  const selectors = facts.selectors.filter(({ type }) => type !== SPIFFE_ID_SELECTOR);
  const node: NodeObject = {
    kind: "node",
    spiffeId: facts.spiffeId,
    attestationType: facts.attestationType,
    selectors,
    canReattest: facts.canReattest,
    state: "live",
    validFrom: validFromOf(known),
  };
  return known?.object.state === "live" && isSameNode(known.object, node) ? [] : [{ put: node }];
}

/**
 * Forgets a node: its SVIDs die, a ban is lifted, and it may attest again. A join token's alias entry goes with it.
 *
 * @returns A decision that throws AGENT_NOT_FOUND.
 */
export function proposeEviction(spiffeId: string): Decide {
  return (view) => {
    const { object } = knownNode(view, spiffeId);
    return [{ put: { ...object, state: "evicted" } }, ...aliasRemovals(view, spiffeId)];
  };
}

/** Bans a node: its SVIDs die, and it may not attest until it is deleted. Once banned, banning again changes nothing. */
export function proposeBan(spiffeId: string): Decide {
  return (view) => {
    const { object } = knownNode(view, spiffeId);
    return object.state === "banned" ? [] : [{ put: { ...object, state: "banned" } }];
  };
}

function knownNode(view: RegistryView, spiffeId: string): Known<NodeObject> {
  const known = view.find("node", spiffeId);
  if (known !== undefined && known.object.state !== "evicted") return known;
  throw new BonafideError(SERVER_ERRORS, "AGENT_NOT_FOUND", "no such agent");
}

function validFromOf(known: Known<NodeObject> | undefined): NodeObject["validFrom"] {
  if (known === undefined || known.object.state === "live") return known?.object.validFrom;
  return { epoch: known.epoch, n: known.n };
}

function aliasRemovals(view: RegistryView, nodeId: string): readonly Change[] {
  const own = selectorSetKey([{ type: SPIFFE_ID_SELECTOR, value: nodeId }]);
  return [...view.entriesByParent(nodeId)]
    .filter(({ object }) => selectorSetKey(object.selectors) === own)
    .map(removal);
}

function isSameNode(a: NodeObject, b: NodeObject): boolean {
  return (
    a.attestationType === b.attestationType &&
    a.canReattest === b.canReattest &&
    selectorSetKey(a.selectors) === selectorSetKey(b.selectors)
  );
}
