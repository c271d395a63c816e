import { BonafideError } from "@bonafide/errors";
import type { Entry as WireEntry } from "@bonafide/proto/spire/api/types/entry_pb";
import type { SPIFFEID } from "@bonafide/proto/spire/api/types/spiffeid_pb";
import {
  isMemberOf,
  isReserved,
  isSpiffeId,
  type SpiffeId,
  type TrustDomain,
} from "@bonafide/spiffe";
import type { Entry } from "../core/entry.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { SELECTORS_PER_ENTRY_MAX } from "../limits.ts";

/**
 * Reads an entry from the server's API.
 *
 * @throws SERVER_ANSWER_INVALID  an ID outside the trust domain, or one that no workload may have
 */
export function parseEntry(entry: WireEntry, trustDomain: TrustDomain): Entry {
  const spiffeId = parseWireId(entry.spiffeId);
  if (entry.id === "" || spiffeId === undefined) throw invalid(entry, "has no usable ID");
  if (!isMemberOf(spiffeId, trustDomain) || isReserved(spiffeId)) {
    throw invalid(entry, `stands for ${spiffeId}`);
  }
  if (entry.selectors.length > SELECTORS_PER_ENTRY_MAX) {
    throw invalid(entry, `has ${entry.selectors.length} selectors`);
  }
  const parentId = parseWireId(entry.parentId);
  return {
    id: entry.id,
    spiffeId,
    ...(parentId === undefined ? {} : { parentId }),
    selectors: entry.selectors.map(({ type, value }) => ({ type, value })),
    federatesWith: entry.federatesWith.map((name) => name.replace(/^spiffe:\/\//, "")),
    hint: entry.hint,
    revision: entry.revisionNumber,
    createdAt: entry.createdAt,
    expiresAt: entry.expiresAt,
    admin: entry.admin,
    downstream: entry.downstream,
    storeSvid: entry.storeSvid,
    jwtSvidIncludeJti: entry.additionalAttributes?.jwtSvidIncludeJti === true,
  };
}

/** The ID of a wire pair, or undefined when it is absent or malformed. */
export function parseWireId(id: SPIFFEID | undefined): SpiffeId | undefined {
  if (id === undefined) return undefined;
  const text = `spiffe://${id.trustDomain}${id.path}`;
  return isSpiffeId(text) ? text : undefined;
}

function invalid(entry: WireEntry, what: string): BonafideError {
  return new BonafideError(
    AGENT_ERRORS,
    "SERVER_ANSWER_INVALID",
    `the server sent entry ${JSON.stringify(entry.id.slice(0, 255))}, which ${what}`,
  );
}
