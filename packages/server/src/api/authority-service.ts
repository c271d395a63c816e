import { BonafideError } from "@bonafide/errors";
import type { Actor, AuthorityObject } from "@bonafide/ledger";
import { parseCertificate } from "@bonafide/pki";
import {
  AuthorityStateSchema,
  type LocalAuthority,
} from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import type { CallContext, Handlers } from "@bonafide/rpc";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthorityInUse } from "../authority/authority-kind.ts";
import type { AuthorityService } from "../authority/authority-service.ts";
import { authorityIdOf } from "../authority/sign-svid.ts";
import { authorityName } from "../core/authority-changes.ts";
import { revokingUpstream, taintingUpstream, UPSTREAM } from "../core/upstream-changes.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { Decide } from "../lane/registry-view.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";

type WireState = MessageInitShape<typeof AuthorityStateSchema>;

/** What the four calls that change something return. */
type Changed<K extends string> = Promise<Record<K, WireState>>;

/**
 * spire.api.server.localauthority.v1.LocalAuthority: rotation by force, and what follows it.
 *
 * The wire shows one old authority: here the newest that is old or tainted. All of them, of all servers, are in
 * bonafide.admin.v1.Authorities; each can be tainted and revoked by its id.
 */
export function localAuthorityHandlers(
  services: ServiceDeps,
  { serverId }: Pick<ServiceOptions, "serverId">,
): Partial<Handlers<typeof LocalAuthority, ServerPeer>> {
  const x509 = callsFor(services, services.authorities);
  const jwt = callsFor(services, services.jwtAuthorities);
  const ownRoot = (id: string): string => {
    assertOwnRoot(services, given(id));
    return id;
  };
  return {
    getX509AuthorityState: () => x509.state(),
    prepareX509Authority: (_request, context) => x509.prepare(context),
    activateX509Authority: ({ authorityId }, context) => x509.activate(authorityId, context),
    taintX509Authority: ({ authorityId }, context) => x509.taint(ownRoot(authorityId), context),
    revokeX509Authority: ({ authorityId }, context) => x509.revoke(ownRoot(authorityId), context),
    taintX509UpstreamAuthority: ({ subjectKeyId }, context) =>
      changeUpstream(services, subjectKeyId, context, {
        cause: "authority.tainted",
        decide: (id) => taintingUpstream(serverId, id),
      }),
    revokeX509UpstreamAuthority: ({ subjectKeyId }, context) =>
      changeUpstream(services, subjectKeyId, context, {
        cause: "authority.revoked",
        decide: revokingUpstream,
      }),
    getJWTAuthorityState: () => jwt.state(),
    prepareJWTAuthority: (_request, context) => jwt.prepare(context),
    activateJWTAuthority: ({ authorityId }, context) => jwt.activate(authorityId, context),
    taintJWTAuthority: ({ authorityId }, context) => jwt.taint(authorityId, context),
    revokeJWTAuthority: ({ authorityId }, context) => jwt.revoke(authorityId, context),
  };
}

interface UpstreamChange {
  readonly cause: string;
  readonly decide: (id: string) => Decide;
}

async function changeUpstream(
  { access, lane, log, upstream }: ServiceDeps,
  subjectKeyId: string,
  { peer }: CallContext<ServerPeer>,
  { cause, decide }: UpstreamChange,
): Promise<{ upstreamAuthoritySubjectKeyId: string }> {
  access.administrator(peer, "write-authority");
  if (upstream === undefined) throw mismatch("this server has no upstream authority");
  const id = given(subjectKeyId).toLowerCase();
  const { changes } = await lane.submit(decide(id), { actor: actorOf(peer), cause });
  if (changes.length > 0) {
    log({ level: "info", event: cause, fields: { authority: id, use: "x509" } });
  }
  return { upstreamAuthoritySubjectKeyId: id };
}

/** What an upstream signed is not tainted here by itself: its root is. */
function assertOwnRoot({ registry, upstream }: ServiceDeps, id: string): void {
  if (upstream === undefined) return;
  const known = registry.find("authority", authorityName("x509", id))?.object;
  if (known?.certificateChain.length === 1 && known.server !== UPSTREAM) return;
  throw mismatch("this server has an upstream authority: taint and revoke its root");
}

function mismatch(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "AUTHORITY_UPSTREAM_MISMATCH", message);
}

interface Calls {
  state(): { active: WireState; prepared?: WireState; old?: WireState };
  prepare(context: CallContext<ServerPeer>): Changed<"preparedAuthority">;
  activate(id: string, context: CallContext<ServerPeer>): Changed<"activatedAuthority">;
  taint(id: string, context: CallContext<ServerPeer>): Changed<"taintedAuthority">;
  revoke(id: string, context: CallContext<ServerPeer>): Changed<"revokedAuthority">;
}

function callsFor<A extends AuthorityInUse>(
  { access }: ServiceDeps,
  authorities: AuthorityService<A>,
): Calls {
  // Judged again here: by whoever calls, not only by whoever was let in.
  const author = ({ peer }: CallContext<ServerPeer>): Actor => {
    access.administrator(peer, "write-authority");
    return actorOf(peer);
  };
  return {
    state() {
      const own = authorities.own();
      const active = own.find(({ state }) => state === "active");
      if (active === undefined) {
        throw new BonafideError(SERVER_ERRORS, "AUTHORITY_NOT_READY", "no authority signs yet");
      }
      const prepared = own.find(({ state }) => state === "prepared");
      const old = own.find(({ state }) => state === "old" || state === "tainted");
      return {
        active: toWireState(active),
        ...(prepared === undefined ? {} : { prepared: toWireState(prepared) }),
        ...(old === undefined ? {} : { old: toWireState(old) }),
      };
    },
    async prepare(context) {
      return { preparedAuthority: toWireState(await authorities.prepare(author(context))) };
    },
    async activate(id, context) {
      const { signal } = context;
      const activated = await authorities.activate(given(id), author(context), { signal });
      return { activatedAuthority: toWireState(activated) };
    },
    async taint(id, context) {
      const tainted = await authorities.taint(given(id), author(context));
      return { taintedAuthority: toWireState(tainted) };
    },
    async revoke(id, context) {
      const revoked = await authorities.revoke(given(id), author(context));
      return { revokedAuthority: toWireState(revoked) };
    },
  };
}

function given(id: string): string {
  if (id !== "") return id;
  throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "the authority id is missing");
}

function toWireState(authority: AuthorityObject): WireState {
  return {
    authorityId: authority.id,
    expiresAt: BigInt(Math.floor(authority.notAfterMs / 1000)),
    upstreamAuthoritySubjectKeyId: upstreamIdOf(authority),
  };
}

/** Hex subject key identifier of the root above an authority; empty: it is its own root. */
export function upstreamIdOf({ certificateChain }: AuthorityObject): string {
  const root = certificateChain.length > 1 ? certificateChain.at(-1) : undefined;
  return root === undefined ? "" : authorityIdOf(parseCertificate(root));
}
