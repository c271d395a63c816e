import { BonafideError } from "@bonafide/errors";
import type { Selector } from "@bonafide/ledger";
import { parseSpiffeId } from "@bonafide/spiffe";
import { SERVER_ERRORS } from "../errors.ts";
import type { Decide } from "../lane/registry-view.ts";
import { LIMITS } from "../limits.ts";
import { type AttestedFacts, nodeChanges } from "./propose-node.ts";

/** What an attestor says of a node. */
export interface Finding {
  /** Below `/spire/agent`, with its leading slash. */
  readonly path: string;
  readonly selectors: readonly Selector[];
  readonly canReattest: boolean;
}

/** Who found it. */
export interface Finder {
  readonly attestationType: string;
  readonly trustDomain: string;
  /** First segments of paths that belong to others. */
  readonly othersNames: ReadonlySet<string>;
}

/**
 * Takes what an attestor found as facts of a node. An attestor speaks for nobody but itself: not for the nodes of
 * another, and not in selectors of another type.
 *
 * @throws ATTESTATION_FAILED  the path is another's or none, or a selector is not its own
 */
export function attestedFacts(finding: Finding, finder: Finder): AttestedFacts {
  const { path, selectors, canReattest } = finding;
  const { attestationType, trustDomain, othersNames } = finder;
  if (!path.startsWith("/") || othersNames.has(path.split("/", 2)[1] ?? "")) throw failed();
  const areOwn = selectors.every(
    ({ type, value }) =>
      type === attestationType && value !== "" && value.length <= LIMITS.selectorValueBytes,
  );
  if (!areOwn || selectors.length > LIMITS.selectorsPerEntry) throw failed();
  let spiffeId: string;
  try {
    spiffeId = parseSpiffeId(`spiffe://${trustDomain}/spire/agent${path}`);
  } catch (cause) {
    throw failed(cause);
  }
  return { spiffeId, attestationType, selectors, canReattest };
}

/**
 * Takes an attested node in.
 *
 * @returns A decision that throws AGENT_BANNED, or ATTESTATION_FAILED if another attestor's node has this ID.
 */
export function proposeAttested(facts: AttestedFacts): Decide {
  return (view) => {
    const known = view.find("node", facts.spiffeId)?.object;
    if (known !== undefined && known.attestationType !== facts.attestationType) throw failed();
    return nodeChanges(view, facts);
  };
}

function failed(cause?: unknown): BonafideError {
  return new BonafideError(
    SERVER_ERRORS,
    "ATTESTATION_FAILED",
    "the node did not prove what it claims",
    { cause },
  );
}
