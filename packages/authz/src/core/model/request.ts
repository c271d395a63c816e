import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import type { AuthzRequest } from "../engine/decide.ts";
import { parseIp } from "../engine/ip.ts";
import { Datetime, Duration } from "../engine/scalars.ts";
import { CedarRecord, CedarSet, type EntityUid, type Value } from "../engine/values.ts";
import { type ActionName, actionOf, entityOf } from "./entity-names.ts";
import { isSpiffePath } from "./spiffe-paths.ts";

/** Who calls. */
export type Principal =
  | { readonly workload: string }
  | { readonly user: string }
  | { readonly device: string };

/** On whose behalf a call is made, as a verified token has it. */
export interface OnBehalfOf {
  readonly user?: string;
  /** SPIFFE IDs of the workloads that passed it on. */
  readonly chain: readonly string[];
  readonly scopes: readonly string[];
  /** How long ago a person approved it, in ms. */
  readonly approvedAgoMs?: number;
}

/** What a request says besides who, what and which. */
export interface RequestFacts {
  /** Epoch ms, of the side that decides. */
  readonly now: number;
  readonly tls: boolean;
  /** Address of the caller, as text. */
  readonly sourceIp?: string;
  readonly device?: string;
  readonly onBehalfOf?: OnBehalfOf;
}

/**
 * Builds a request that fits {@link BASE_SCHEMA}, so that no policy that was validated errs on it.
 *
 * @throws AUTHZ_REQUEST_INVALID  no SPIFFE ID, no address, or an instant that is no whole number of ms
 */
export function buildRequest(
  principal: Principal,
  action: ActionName,
  resource: EntityUid,
  facts: RequestFacts,
): AuthzRequest {
  const attributes = new Map<string, Value>([
    ["now", new Datetime(wholeMs(facts.now))],
    ["tls", facts.tls],
  ]);
  if (facts.sourceIp !== undefined) {
    const ip = parseIp(facts.sourceIp);
    if (ip === undefined) throw invalid("the source address is none");
    attributes.set("sourceIp", ip);
  }
  if (facts.device !== undefined) attributes.set("device", entityOf("Device", facts.device));
  if (facts.onBehalfOf !== undefined) attributes.set("obo", onBehalfOf(facts.onBehalfOf));
  return {
    principal: principalOf(principal),
    action: actionOf(action),
    resource,
    context: new CedarRecord(attributes),
  };
}

function onBehalfOf({ user, chain, scopes, approvedAgoMs }: OnBehalfOf): CedarRecord {
  const attributes = new Map<string, Value>([
    ["chain", new CedarSet(chain.map((workload) => principalOf({ workload })))],
    ["depth", chain.length],
    ["scopes", new CedarSet(scopes)],
  ]);
  if (user !== undefined) attributes.set("user", entityOf("User", user));
  if (approvedAgoMs !== undefined) {
    attributes.set("approvedAgo", new Duration(wholeMs(approvedAgoMs)));
  }
  return new CedarRecord(attributes);
}

/** The entity that a caller is. @throws AUTHZ_REQUEST_INVALID  no SPIFFE ID */
export function principalOf(principal: Principal): EntityUid {
  if ("user" in principal) return entityOf("User", principal.user);
  if ("device" in principal) return entityOf("Device", principal.device);
  if (!isSpiffePath(principal.workload)) throw invalid("the caller has no SPIFFE ID");
  return entityOf("Workload", principal.workload);
}

/** The caller that an entity is: the opposite of {@link principalOf}. */
export function principalFrom({ type, id }: EntityUid): Principal {
  if (type === "BF::User") return { user: id };
  return type === "BF::Device" ? { device: id } : { workload: id };
}

function wholeMs(ms: number): number {
  if (!Number.isSafeInteger(ms)) throw invalid("a time is no whole number of milliseconds");
  return ms;
}

function invalid(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "AUTHZ_REQUEST_INVALID", message);
}
