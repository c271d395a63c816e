import { BonafideError } from "@bonafide/errors";
import { type EntryObject, fromHex, type JoinTokenObject, toHex } from "@bonafide/ledger";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
import { mayAdminister } from "./administration.ts";
import { SPIFFE_ID_SELECTOR } from "./authorized-entries.ts";
import { judgeToken, type TokenRefusal } from "./join-token.ts";
import type { Writer } from "./propose-entry.ts";
import { nodeChanges } from "./propose-node.ts";
import { isReservedId } from "./reserved.ts";

/** The attestation type of join tokens. */
export const JOIN_TOKEN_TYPE = "join_token";

/** A token to be made. */
export interface NewToken {
  /** Hex. */
  readonly tokenSha256: string;
  readonly expiresAtMs: number;
  /** SPIFFE ID that the node shall also be known by; empty: none. */
  readonly alias: string;
  /** Used only with an alias. */
  readonly aliasEntryId: string;
  readonly trustDomain: string;
  readonly nowMs: number;
}

/** The agent ID that a token's holder will get. */
export function tokenNodeId(trustDomain: string, token: string): string {
  return `spiffe://${trustDomain}/spire/agent/${JOIN_TOKEN_TYPE}/${token}`;
}

/**
 * Makes a token, and its alias entry if it has an alias. What is kept holds the token's hash and never the token.
 *
 * @returns A decision that throws JOIN_TOKEN_EXISTS, ENTRY_RESERVED or ADMIN_REQUIRED.
 */
export function proposeToken(token: NewToken, writer: Writer): Decide {
  return (view) => {
    if (view.find("joinToken", token.tokenSha256) !== undefined) {
      throw new BonafideError(SERVER_ERRORS, "JOIN_TOKEN_EXISTS", "this join token exists already");
    }
    const isReserved = token.alias !== "" && isReservedId(view, writer.grants, token.alias);
    const method = isReserved ? "write-entry" : "write-token";
    if (!mayAdminister(writer.grants, writer.caller, method, { isReserved })) {
      throw new BonafideError(
        SERVER_ERRORS,
        isReserved ? "ENTRY_RESERVED" : "ADMIN_REQUIRED",
        "the caller may not make this join token",
      );
    }
    const object: JoinTokenObject = {
      kind: "joinToken",
      tokenSha256: token.tokenSha256,
      expiresAtMs: token.expiresAtMs,
      alias: token.alias,
      aliasEntryId: token.alias === "" ? "" : token.aliasEntryId,
      spent: undefined,
    };
    return token.alias === "" ? [{ put: object }] : [{ put: object }, { put: aliasEntry(token) }];
  };
}

/** What a caller shows with a token. */
export interface TokenSpending {
  /** Hex. */
  readonly tokenSha256: string;
  /** SHA-256 of the public key of the caller's request, which it proved to hold. */
  readonly keySha256: Uint8Array;
  /** The agent ID that the token gives. */
  readonly nodeId: string;
  readonly nowMs: number;
}

/**
 * Spends a token: token, node and alias entry in one, so that of many callers exactly one wins. The holder of the key
 * that spent it may repeat the call; then nothing is written.
 *
 * @param refused  Told why, for the log and the alarm, before the decision throws.
 * @returns A decision that throws ATTESTATION_FAILED, with one text for every reason, or AGENT_BANNED.
 */
export function proposeSpending(
  spending: TokenSpending,
  refused: (reason: TokenRefusal) => void,
): Decide {
  return (view) => {
    const known = view.find("joinToken", spending.tokenSha256)?.object;
    const node = view.find("node", spending.nodeId)?.object;
    if (node?.state === "banned") {
      throw new BonafideError(SERVER_ERRORS, "AGENT_BANNED", "the agent is banned");
    }
    const spent =
      known?.spent === undefined
        ? undefined
        : { keyDigest: toHex(known.spent.firstKeySha256), at: known.spent.atMs };
    const judgement = judgeToken(
      known === undefined ? undefined : { expiresAt: known.expiresAtMs, spent },
      toHex(spending.keySha256),
      node?.state,
      spending.nowMs,
    );
    if (judgement.kind === "refuse" || known === undefined) {
      refused(judgement.kind === "refuse" ? judgement.reason : "unknown");
      throw new BonafideError(SERVER_ERRORS, "ATTESTATION_FAILED", "the join token is not valid");
    }
    return judgement.kind === "repeat" ? [] : spendingChanges(view, known, spending);
  };
}

function spendingChanges(
  view: RegistryView,
  token: JoinTokenObject,
  spending: TokenSpending,
): readonly Change[] {
  const { nodeId, keySha256, nowMs } = spending;
  const spent = { node: nodeId, firstKeySha256: keySha256, atMs: nowMs };
  const alias = view.find("entry", token.aliasEntryId)?.object;
  return [
    { put: { ...token, spent } },
    ...nodeChanges(view, {
      spiffeId: nodeId,
      attestationType: JOIN_TOKEN_TYPE,
      selectors: [],
      canReattest: false,
    }),
    ...(alias === undefined ? [] : [{ put: boundAlias(alias, nodeId) }]),
  ];
}

/** The alias entry while the token is not spent: its parent names the token's hash, which no ID can equal. */
function aliasEntry(token: NewToken): EntryObject {
  const parentId = tokenNodeId(token.trustDomain, `sha256:${toHex(fromHex(token.tokenSha256))}`);
  return {
    kind: "entry",
    id: token.aliasEntryId,
    spiffeId: token.alias,
    parentId,
    selectors: [{ type: SPIFFE_ID_SELECTOR, value: parentId }],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtSeconds: 0,
    dnsNames: [],
    storeSvid: false,
    hint: "",
    createdAtSeconds: Math.floor(token.nowMs / 1000),
    additionalAttributes: undefined,
    owner: "",
    labels: {},
  };
}

function boundAlias(alias: EntryObject, nodeId: string): EntryObject {
  return {
    ...alias,
    parentId: nodeId,
    selectors: [{ type: SPIFFE_ID_SELECTOR, value: nodeId }],
  };
}
