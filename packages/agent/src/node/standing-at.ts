import type { EpochMs } from "@bonafide/lifetime";
import type { X509Bundle } from "@bonafide/spiffe";
import type { StopCause } from "../core/standing.ts";
import type { StandingFact } from "../core/why/facts.ts";
import { authorityKeyId } from "../wire/key-id.ts";
import type { Presented } from "./authority-probe.ts";

/** What is said of an agent that ends, or would without a person's help. @param before  What was said so far. */
export function standingAt(
  cause: StopCause,
  before: StandingFact,
  own: {
    readonly notAfter: EpochMs;
    readonly canReattest: boolean;
    readonly lostId: string | undefined;
  },
): StandingFact {
  switch (cause) {
    case "agent.banned":
      return { kind: "banned", id: own.lostId, detail: "the server said so" };
    case "agent.evicted":
      return { kind: "evicted", id: own.lostId };
    case "agent.not_attested":
      return { kind: "not_attested", detail: "it has no join token" };
    case "agent.svid_expired": {
      const expiredAt = new Date(own.notAfter).toISOString();
      return { kind: "svid_expired", expiredAt, canReattest: own.canReattest };
    }
    case "agent.token_refused":
      return { kind: "token_refused" };
    case "agent.token_used":
      return { kind: "token_used", detail: "by this agent, in an earlier run" };
    case "agent.bundle_mismatch":
    case "agent.trust_domain_mismatch":
      return before;
    default:
      return cause satisfies never;
  }
}

/** What is said when a server does not fit the bundle: it is of another trust domain, or of another authority. */
export function mismatchOf(bundle: X509Bundle, presented: Presented): StandingFact {
  const { trustDomain: expected } = bundle;
  if (presented.trustDomain !== undefined && presented.trustDomain !== expected) {
    return { kind: "trust_domain_mismatch", expected, presented: presented.trustDomain };
  }
  const pinned = bundle.authorities.map((each) => authorityKeyId(each)).join(", ");
  return { kind: "bundle_mismatch", pinned, presented: presented.authority };
}
