import { BonafideError } from "@bonafide/errors";
import {
  type PublishJWTAuthorityRequest,
  type PublishJWTAuthorityResponse,
  PublishJWTAuthorityResponseSchema,
} from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import {
  type NewDownstreamX509CARequest,
  type NewDownstreamX509CAResponse,
  NewDownstreamX509CAResponseSchema,
} from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { create } from "@bufbuild/protobuf";
import { signDownstream } from "../authority/sign-svid.ts";
import { isJwtKey } from "../authority/upstream.ts";
import { entryTtlMs } from "../core/svid-validity.ts";
import { publication } from "../core/upstream-changes.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import { keyOfCsr } from "./read-csr.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { toWireJwtKey } from "./wire-svid.ts";

/** NewDownstreamX509CA: an authority for a server below this one. Names in its request count for nothing. */
export function newDownstreamCa(
  deps: ServiceDeps,
  options: ServiceOptions,
  { csr, preferredTtl }: NewDownstreamX509CARequest,
  peer: ServerPeer,
): NewDownstreamX509CAResponse {
  const { access, authorities, bundles, clock, freshness, log, signRate } = deps;
  const member = access.downstream(peer);
  signRate.take(member.id, 1);
  freshness.assertFresh();
  if (preferredTtl < 0) throw invalid("preferred_ttl is negative");
  const spki = keyOfCsr(csr);
  const { trustDomain } = options;
  const ttlMs = entryTtlMs(preferredTtl, options.caTtlMs);
  const request = { trustDomain, spki, ttlMs: Math.min(ttlMs, options.caTtlMs) };
  const { chain, id, notAfter } = signDownstream(authorities.signing(), request, clock.now());
  const fields = { spiffeId: member.id, authority: id, expires: new Date(notAfter).toISOString() };
  log({ level: "info", event: "downstream.authority_signed", fields });
  return create(NewDownstreamX509CAResponseSchema, {
    caCertChain: [...chain],
    x509Authorities: bundles.own().bundle.x509.map(({ root }) => root),
  });
}

/** PublishJWTAuthority: a key by which a server below this one signs. It is published above, too, where there is one. */
export async function publishJwtAuthority(
  deps: ServiceDeps,
  { jwtAuthority }: PublishJWTAuthorityRequest,
  peer: ServerPeer,
): Promise<PublishJWTAuthorityResponse> {
  const { access, bundles, clock, lane, log, signRate, upstream } = deps;
  const member = access.downstream(peer);
  signRate.take(member.id, 1);
  if (jwtAuthority === undefined) throw invalid("the key is missing");
  const { keyId, publicKey, expiresAt, tainted } = jwtAuthority;
  if (!isJwtKey(keyId, publicKey)) throw invalid("the key or its id cannot be used");
  const notAfterMs = Number(expiresAt) * 1000;
  const isOver = notAfterMs !== 0 && notAfterMs <= clock.now();
  if (isOver || tainted || !Number.isSafeInteger(notAfterMs)) {
    throw invalid("the key has expired, or is tainted");
  }
  const key = {
    use: "jwt" as const,
    id: keyId,
    certificate: undefined,
    publicKey,
    notBeforeMs: clock.now(),
    notAfterMs,
    tainted: false,
  };
  const decide = publication(key, member.id, clock.now());
  // Judged before it is told above: what is refused here must not be published there.
  decide(deps.registry);
  if (upstream?.publishesJwtKeys === true) {
    await upstream.publish({ keyId, publicKey, expiresAt: notAfterMs, tainted: false });
  }
  const meta = { actor: actorOf(peer), cause: "authority.published" };
  const { changes } = await lane.submit(decide, meta);
  if (changes.length > 0) {
    const fields = { spiffeId: member.id, authority: keyId, use: "jwt" };
    log({ level: "info", event: "authority.published", fields });
  }
  const jwtAuthorities = bundles.own().bundle.jwt.map(toWireJwtKey);
  return create(PublishJWTAuthorityResponseSchema, { jwtAuthorities });
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
