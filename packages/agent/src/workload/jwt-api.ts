import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Clock, EpochMs } from "@bonafide/lifetime";
import type {
  JWTSVIDRequest,
  ValidateJWTSVIDRequest,
  ValidateJWTSVIDResponseSchema,
  JWTSVIDResponseSchema,
} from "@bonafide/proto/workload_pb";
import type { CallContext } from "@bonafide/rpc";
import {
  isAudience,
  isSpiffeId,
  type JwtSvid,
  type VerifiedJwtSvid,
  verifyJwtSvid,
} from "@bonafide/spiffe";
import type { UnixConnection } from "@bonafide/unix-peer";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Entry } from "../core/entry.ts";
import { AGENT_ERRORS } from "../errors.ts";
import type { IdentityGroups } from "../identity/identity-groups.ts";
import { JWT_SIGNINGS_AT_ONCE } from "../limits.ts";
import type { JwtSvidCache } from "../svid/jwt-svid-cache.ts";
import { callerFactOf } from "./caller-fact.ts";
import type { CallerGate, SeenCaller } from "./caller-gate.ts";
import { claimsStruct } from "./claims-struct.ts";

/** What the JWT part of the Workload API is served from. */
export interface JwtApiDeps {
  readonly clock: Clock;
  /** The server's time, as of everything that is issued. */
  readonly serverNow: () => EpochMs;
  readonly gate: CallerGate;
  readonly groups: IdentityGroups;
  readonly jwtSvids: JwtSvidCache;
  /** Claims of other trust domains' tokens that are told beside those of everybody. */
  readonly foreignClaims: ReadonlySet<string>;
  /** Whether the agent has heard of its entries, now or before a restart. */
  readonly knowsEntries: () => boolean;
}

/**
 * FetchJWTSVID: a token for each identity of the caller, or for the one it names, oldest entry first.
 *
 * @throws REQUEST_INVALID, NO_IDENTITY_ISSUED, AGENT_NOT_READY, CALLER_LIMIT_EXCEEDED
 * @spec Workload API §6.2.1
 */
export async function fetchJwtSvid(
  deps: JwtApiDeps,
  request: JWTSVIDRequest,
  context: CallContext<UnixConnection>,
): Promise<MessageInitShape<typeof JWTSVIDResponseSchema>> {
  const { gate, groups } = deps;
  const { audience, spiffeId } = request;
  if (!isAudience(audience)) throw invalid("an audience is required, and each must be a text");
  if (spiffeId !== "" && !isSpiffeId(spiffeId)) throw invalid("spiffe_id is no SPIFFE ID");
  const { seen, entries: all } = await lookAt(deps, context);
  const entries = all.filter((entry) => spiffeId === "" || entry.spiffeId === spiffeId);
  if (entries.length === 0) throw gate.refuse(seen, "NO_IDENTITY_ISSUED");
  const svids = await signAll(deps, { seen, entries, audience }, context.signal);
  if (svids.length === 0) throw gate.refuse(seen, "NO_IDENTITY_ISSUED");
  // Signing takes a while: whoever became another program meanwhile gets nothing.
  const again = await gate.lookAgain(
    seen,
    entries.flatMap(({ selectors }) => selectors),
    { signal: context.signal },
  );
  const still = new Map(
    groups.entriesOf(again.observation.selectors).map((entry) => [entry.id, entry.spiffeId]),
  );
  const given = svids.filter(({ entry, svid }) => still.get(entry.id) === svid.id);
  if (given.length === 0) throw gate.refuse(again, "NO_IDENTITY_ISSUED");
  gate.served(
    again,
    given.map(({ svid }) => svid.id),
  );
  return {
    svids: given.map(({ svid }) => ({ spiffeId: svid.id, svid: svid.token, hint: svid.hint })),
  };
}

/**
 * ValidateJWTSVID: judges a token that somebody showed to the caller, by the JWT keys that the caller may know.
 *
 * @throws REQUEST_INVALID, JWT_SVID_REFUSED, NO_IDENTITY_ISSUED, AGENT_NOT_READY
 * @spec Workload API §6.2.3
 */
export async function validateJwtSvid(
  deps: JwtApiDeps,
  request: ValidateJWTSVIDRequest,
  context: CallContext<UnixConnection>,
): Promise<MessageInitShape<typeof ValidateJWTSVIDResponseSchema>> {
  const { serverNow, gate, groups, foreignClaims } = deps;
  const { audience, svid } = request;
  if (!isAudience([audience])) throw invalid("an audience is required");
  if (svid === "") throw invalid("a JWT-SVID is required");
  const { seen, entries } = await lookAt(deps, context);
  const bundles = groups.jwtBundlesOf(entries);
  let verified: VerifiedJwtSvid;
  try {
    verified = verifyJwtSvid(svid, bundles, { audience, now: serverNow() });
  } catch (error) {
    throw refused(error);
  }
  gate.served(
    seen,
    entries.map(({ spiffeId }) => spiffeId),
  );
  const isOurs = entries.some(({ spiffeId }) => isOfSameDomain(spiffeId, verified));
  return {
    spiffeId: verified.id,
    claims: claimsStruct(verified, { isOurs, alsoForeign: foreignClaims }),
  };
}

/** The caller with its entries: the same gate and the same refusals as for X.509. */
async function lookAt(
  { gate, groups, knowsEntries }: JwtApiDeps,
  context: CallContext<UnixConnection>,
): Promise<{ readonly seen: SeenCaller; readonly entries: readonly Entry[] }> {
  const method = `${context.service}/${context.method}`;
  const seen = await gate.look(context.peer, method, { signal: context.signal });
  if (!knowsEntries()) {
    throw gate.refuse(seen, "AGENT_NOT_READY", { signingFailure: "no entries yet" });
  }
  const entries = groups.entriesOf(seen.observation.selectors);
  if (entries.length === 0) throw gate.refuse(seen, "NO_IDENTITY_ISSUED");
  return { seen, entries };
}

interface SignAll {
  readonly seen: SeenCaller;
  readonly entries: readonly Entry[];
  readonly audience: readonly string[];
}

/** Tokens in the order of the entries; entries that the server took back meanwhile are left out. */
async function signAll(
  { gate, jwtSvids }: JwtApiDeps,
  { seen, entries, audience }: SignAll,
  signal: AbortSignal,
): Promise<readonly { readonly entry: Entry; readonly svid: JwtSvid }[]> {
  const signed: { entry: Entry; svid: JwtSvid }[] = [];
  for (let from = 0; from < entries.length; from += JWT_SIGNINGS_AT_ONCE) {
    const some = entries.slice(from, from + JWT_SIGNINGS_AT_ONCE);
    const results = await Promise.allSettled(
      some.map((entry) => jwtSvids.fetch(entry, audience, { signal, uid: seen.peer.uid })),
    );
    signal.throwIfAborted();
    for (const [index, result] of results.entries()) {
      const entry = some[index];
      if (entry === undefined) continue;
      if (result.status === "rejected") {
        if (isBonafideError(result.reason, "CALLER_LIMIT_EXCEEDED")) {
          const caller = callerFactOf(result.reason);
          throw gate.refuse(seen, "CALLER_LIMIT_EXCEEDED", { caller });
        }
        const text = isBonafideError(result.reason) ? result.reason.message : "not signed";
        throw gate.refuse(seen, "AGENT_NOT_READY", { signingFailure: text });
      }
      if (result.value.kind === "signed") signed.push({ entry, svid: result.value.svid });
    }
  }
  return signed;
}

function isOfSameDomain(spiffeId: string, { trustDomain }: VerifiedJwtSvid): boolean {
  return spiffeId.startsWith(`spiffe://${trustDomain}/`);
}

function invalid(message: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "REQUEST_INVALID", message);
}

/** To the caller a token that is not accepted is a request that makes no sense, whatever is wrong with it. */
function refused(error: unknown): unknown {
  if (!isBonafideError(error)) return error;
  const reason = error.details["reason"] ?? error.code;
  return new BonafideError(AGENT_ERRORS, "JWT_SVID_REFUSED", error.message, {
    cause: error,
    details: { reason },
  });
}
