import type { ActionName, DecisionReason, OnBehalfOf } from "@bonafide/authz";
import { isSpiffeId } from "@bonafide/spiffe";
import { CHAIN_MAX, GRANTS_MAX, SCOPES_MAX, USER_CHARACTERS_MAX } from "../limits.ts";

/** What a person allowed one agent to do in their name. It narrows what policies allow and never widens it. */
export interface Grant {
  /** SPIFFE ID of the workload that it is given to. */
  readonly agent: string;
  /** Actions such as `http.GET`; none allows nothing. */
  readonly actions: readonly string[];
  /** Ids of resources, `payments/v1/refunds/{id}`, or a whole service, `payments`; none allows nothing. */
  readonly resources: readonly string[];
  /** Most workloads in the chain, the caller included. */
  readonly depthMax: number;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/**
 * On whose behalf a call is made, as proven by a token that somebody verified: signature, issuer, audience, time. This
 * package verifies no tokens; whoever makes this object vouches for it.
 */
export interface VerifiedUser {
  /** The user's name in the bundle. */
  readonly user: string;
  /**
   * SPIFFE IDs of the workloads that the token was issued on to, the first one first; the last must be the caller. Empty:
   * the token names none, and the caller is the first.
   */
  readonly actors: readonly string[];
  readonly scopes: readonly string[];
  /** Epoch ms. */
  readonly expiresAt: number;
  /** When the person approved just this, epoch ms. */
  readonly approvedAt?: number;
  readonly grants?: readonly Grant[];
}

/** A token that can be used in this call, as the policies see it; or why not. */
export type UsableToken =
  | { readonly onBehalfOf: OnBehalfOf & { readonly user: string } }
  | { readonly reason: DecisionReason };

/** Checks a token against the call that it came with. Bounds are refused rather than cut, so that replay is exact. */
export function tokenFor(caller: string, token: VerifiedUser, now: number): UsableToken {
  const { user, actors, scopes, expiresAt, approvedAt, grants = [] } = token;
  const isBounded =
    user.length > 0 &&
    user.length <= USER_CHARACTERS_MAX &&
    actors.length < CHAIN_MAX &&
    scopes.length <= SCOPES_MAX &&
    grants.length <= GRANTS_MAX;
  if (!isBounded || !(expiresAt > now) || !actors.every((id) => isSpiffeId(id))) {
    return { reason: "token_invalid" };
  }
  const last = actors.at(-1);
  if (last !== undefined && last !== caller) return { reason: "actor_mismatch" };
  const chain = last === undefined ? [caller] : actors;
  // An approval from the future is none.
  const ago =
    approvedAt === undefined || approvedAt > now ? undefined : Math.trunc(now - approvedAt);
  return {
    onBehalfOf: { user, chain, scopes, ...(ago !== undefined && { approvedAgoMs: ago }) },
  };
}

/** What is asked for, as grants name it. */
export interface GrantQuestion {
  readonly action: ActionName;
  readonly resource: string;
  readonly service: string;
  /** Workloads that acted, the caller last. */
  readonly chain: readonly string[];
  readonly now: number;
  /** Whether a workload may act for a person only by a grant. */
  readonly isAgent: (workload: string) => boolean;
}

/** Why grants stand in the way of a call; `undefined` if they do not. */
export function grantFault(
  grants: readonly Grant[],
  { chain, isAgent, ...question }: GrantQuestion,
): DecisionReason | undefined {
  for (const workload of chain) {
    const own = grants.filter(({ agent }) => agent === workload);
    if (own.length === 0) {
      if (isAgent(workload)) return "grant_missing";
    } else if (!own.some((grant) => covers(grant, question, chain.length))) {
      return "grant_exceeded";
    }
  }
  return undefined;
}

function covers(
  { actions, resources, depthMax, expiresAt }: Grant,
  { action, resource, service, now }: Omit<GrantQuestion, "chain" | "isAgent">,
  depth: number,
): boolean {
  return (
    expiresAt > now &&
    depth <= depthMax &&
    actions.includes(action) &&
    (resources.includes(resource) || resources.includes(service))
  );
}
