import { BonafideError } from "@bonafide/errors";
import type { Actor, NodeObject } from "@bonafide/ledger";
import type { Clock } from "@bonafide/lifetime";
import { PermissionDeniedDetails_Reason as Reason } from "@bonafide/proto/spire/api/types/status_pb";
import { PermissionDeniedDetailsSchema } from "@bonafide/proto/spire/api/types/status_pb";
import { detail, type IncomingCall, withStatus } from "@bonafide/rpc";
import { type SpiffeId, type TrustDomain, pathOf } from "@bonafide/spiffe";
import type { BundleCache } from "../authority/bundle-cache.ts";
import { authorityIdOf } from "../authority/sign-svid.ts";
import {
  type AdminMethod,
  type Caller,
  configuredGrants,
  type Grant,
  mayAdminister,
} from "../core/administration.ts";
import { agentRefusal } from "../core/agent-liveness.ts";
import type { Writer } from "../core/propose-entry.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { RegistryView } from "../lane/registry-view.ts";
import type { MemberPeer, ServerPeer } from "../port/server-peer.ts";
import { ruleOf } from "./rules.ts";

/** What {@link Access} works with. */
export interface AccessDeps {
  readonly registry: RegistryView;
  readonly clock: Clock;
  /** Of other trust domains, as of now. */
  readonly bundles: Pick<BundleCache, "foreign">;
}

/** Options of {@link Access}. */
export interface AccessOptions {
  readonly trustDomain: TrustDomain;
  /** SPIFFE IDs that hold everything, of any trust domain whose bundle is here. */
  readonly adminIds: ReadonlySet<SpiffeId>;
}

/** A live agent that calls. */
export interface LiveAgent {
  readonly peer: MemberPeer;
  readonly node: NodeObject;
}

type Denial = "AGENT_EXPIRED" | "AGENT_NOT_ATTESTED" | "AGENT_BANNED" | "AGENT_MUST_REATTEST";

const DENIALS: Readonly<Record<Denial, { readonly reason: Reason; readonly text: string }>> = {
  AGENT_EXPIRED: { reason: Reason.AGENT_EXPIRED, text: "the agent's certificate has expired" },
  AGENT_NOT_ATTESTED: { reason: Reason.AGENT_NOT_ATTESTED, text: "the agent is not attested" },
  AGENT_BANNED: { reason: Reason.AGENT_BANNED, text: "the agent is banned" },
  AGENT_MUST_REATTEST: {
    reason: Reason.AGENT_MUST_REATTEST,
    text: "this agent attests again instead of renewing",
  },
};

/** A refusal with the detail on which SPIRE's agents act: attest again, or stop. */
export function agentDenied(code: Denial): BonafideError {
  const { reason, text } = DENIALS[code];
  return withStatus(new BonafideError(SERVER_ERRORS, code, text), {
    details: [detail(PermissionDeniedDetailsSchema, { reason })],
  });
}

/** Says who calls and whether they may. The only place that turns a connection's peer into a caller. */
export class Access {
  readonly #deps: AccessDeps;
  readonly #options: AccessOptions;
  readonly #grants: readonly Grant[];

  constructor(deps: AccessDeps, options: AccessOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#grants = configuredGrants(options.adminIds);
  }

  /**
   * Judges a call before its first message is read.
   *
   * @throws ADMIN_REQUIRED, AGENT_REQUIRED, AGENT_*, DOWNSTREAM_REQUIRED, CALLER_CERTIFICATE_REFUSED,
   *   METHOD_UNAVAILABLE_HERE
   */
  check(call: IncomingCall<ServerPeer>): void {
    const { peer, path } = call;
    if (peer.kind === "refused") {
      if (peer.error.code === "AGENT_EXPIRED") throw agentDenied("AGENT_EXPIRED");
      throw peer.error;
    }
    const rule = ruleOf(path);
    if (rule === "anyone") return;
    if (rule === "agent") {
      this.agent(peer);
      return;
    }
    if (rule === "downstream") {
      this.downstream(peer);
      return;
    }
    if (rule === "agent-or-read") {
      if (peer.kind === "member" && this.#isAgentId(peer)) this.agent(peer);
      else this.administrator(peer, "read");
      return;
    }
    if (rule === "local" || rule === undefined) {
      if (rule === "local" && peer.kind === "local") return;
      throw new BonafideError(
        SERVER_ERRORS,
        "METHOD_UNAVAILABLE_HERE",
        "this method is not served here",
      );
    }
    this.administrator(peer, rule);
  }

  /**
   * The caller as a live agent, as of now.
   *
   * @throws AGENT_REQUIRED, AGENT_EXPIRED, AGENT_NOT_ATTESTED, AGENT_BANNED
   */
  agent(peer: ServerPeer): LiveAgent {
    const { registry, clock } = this.#deps;
    if (peer.kind !== "member" || !this.#isAgentId(peer)) {
      throw new BonafideError(SERVER_ERRORS, "AGENT_REQUIRED", "only agents may call this");
    }
    if (peer.notAfter <= clock.now()) throw agentDenied("AGENT_EXPIRED");
    if (!this.#isRootPublished(peer)) throw agentDenied("AGENT_NOT_ATTESTED");
    const node = registry.find("node", peer.id)?.object;
    const refusal = agentRefusal(node, peer.signedAt);
    if (refusal !== undefined || node === undefined) {
      throw agentDenied(refusal ?? "AGENT_NOT_ATTESTED");
    }
    return { peer, node };
  }

  /**
   * The caller as a downstream server: a member of our own trust domain with a live entry of the downstream flag.
   *
   * @throws DOWNSTREAM_REQUIRED
   */
  downstream(peer: ServerPeer): MemberPeer {
    const isVouchedFor =
      peer.kind === "member" &&
      peer.trustDomain === this.#options.trustDomain &&
      peer.notAfter > this.#deps.clock.now() &&
      this.#isRootPublished(peer);
    if (isVouchedFor && this.#hasEntry(peer.id, "downstream")) return peer;
    throw new BonafideError(
      SERVER_ERRORS,
      "DOWNSTREAM_REQUIRED",
      "only downstream servers may call this",
    );
  }

  /**
   * The caller as an administrator, with what they hold.
   *
   * @throws ADMIN_REQUIRED
   */
  administrator(peer: ServerPeer, method: AdminMethod): Writer {
    const caller = this.#caller(peer);
    const grants = this.#grantsOf(caller);
    // Writers of entries are judged again, with the entry, where it is written.
    if (mayAdminister(grants, caller, method, { isReserved: false })) return { caller, grants };
    throw new BonafideError(SERVER_ERRORS, "ADMIN_REQUIRED", "only administrators may call this");
  }

  /** Whether an ID may connect as an administrator from another trust domain. */
  isAdminId(id: SpiffeId): boolean {
    return this.#options.adminIds.has(id);
  }

  #isAgentId(peer: MemberPeer): boolean {
    return (
      peer.trustDomain === this.#options.trustDomain && pathOf(peer.id).startsWith("/spire/agent/")
    );
  }

  /** Asked at each call: a root that was revoked since the handshake vouches for nobody, open connection or not. */
  #isRootPublished({ rootId }: MemberPeer): boolean {
    const state = this.#deps.registry.find("authority", `x509/${rootId}`)?.object.state;
    return state !== undefined && state !== "revoked" && state !== "expired";
  }

  /** The same for members of other trust domains: their bundle may have been withdrawn, or have lost this root. */
  #isForeignRootHeld({ rootId, trustDomain }: MemberPeer): boolean {
    const authorities = this.#deps.bundles.foreign(trustDomain)?.x509.authorities ?? [];
    return authorities.some((authority) => authorityIdOf(authority) === rootId);
  }

  #caller(peer: ServerPeer): Caller {
    if (peer.kind === "local") return { kind: "local", uid: peer.uid };
    if (peer.kind !== "member" || peer.notAfter <= this.#deps.clock.now()) {
      return { kind: "anonymous" };
    }
    const isOurs = peer.trustDomain === this.#options.trustDomain;
    const isVouchedFor = isOurs ? this.#isRootPublished(peer) : this.#isForeignRootHeld(peer);
    if (!isVouchedFor) return { kind: "anonymous" };
    if (this.#isAgentId(peer)) return { kind: "agent", spiffeId: peer.id };
    const isAdmin = this.isAdminId(peer.id) || this.#hasEntry(peer.id, "admin");
    return { kind: isAdmin ? "admin" : "member", spiffeId: peer.id };
  }

  #grantsOf(caller: Caller): readonly Grant[] {
    if (caller.kind !== "admin" || !this.#hasEntry(caller.spiffeId, "admin")) return this.#grants;
    return [...this.#grants, { holder: caller.spiffeId, scope: "full" }];
  }

  #hasEntry(id: string, flag: "admin" | "downstream"): boolean {
    const now = this.#deps.clock.now();
    for (const { object } of this.#deps.registry.entriesBySpiffeId(id)) {
      const isOver = object.expiresAtSeconds > 0 && object.expiresAtSeconds * 1000 <= now;
      if (object[flag] && !isOver) return true;
    }
    return false;
  }
}

/** Who did it, for the leaf. */
export function actorOf(peer: ServerPeer): Actor {
  if (peer.kind === "local") return { uid: peer.uid, via: "admin.sock" };
  if (peer.kind === "member") return { spiffeId: peer.id, via: "tcp" };
  throw new Error("a caller without a name wrote something");
}
