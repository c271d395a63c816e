import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Csr, EMPTY_NAME } from "@bonafide/pki";
import {
  type MintJWTSVIDRequest,
  type MintJWTSVIDResponse,
  MintJWTSVIDResponseSchema,
  type MintX509SVIDRequest,
  type MintX509SVIDResponse,
  MintX509SVIDResponseSchema,
} from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { isReserved, parseSpiffeId, pathOf, type SpiffeId, trustDomainOf } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { signJwt } from "../authority/sign-jwt.ts";
import { signSvid } from "../authority/sign-svid.ts";
import { dnsNameFault, isCoveredByWildcard } from "../core/dns-name.ts";
import { entryTtlMs } from "../core/svid-validity.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { provenCsr } from "./read-csr.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { toWireJwtSvid, toWireSvid } from "./wire-svid.ts";

/** Longest life that an administrator may ask for, seconds; the authority's end bounds it further. */
const TTL_SECONDS_MAX = 2 ** 31 - 1;

/** MintX509SVID: an administrator has one signed for any workload of our own domain, without an entry. */
export function mintX509(
  deps: ServiceDeps,
  options: ServiceOptions,
  request: MintX509SVIDRequest,
  peer: ServerPeer,
): MintX509SVIDResponse {
  const csr = provenCsr(request.csr);
  const [uri] = csr.uris;
  if (csr.uris.length !== 1 || uri === undefined) {
    throw invalid("the CSR must have exactly one URI name");
  }
  const id = workloadId(uri, options);
  const dnsNames = checkedDnsNames(csr);
  const ttlMs = entryTtlMs(checkedTtl(request.ttl), options.x509SvidTtlMs);
  deps.freshness.assertFresh();
  const svid = signSvid(
    deps.authorities.signing(),
    {
      id,
      spki: csr.spki,
      ttlMs,
      dnsNames,
      ...(csr.subject.length === EMPTY_NAME.length ? {} : { subject: csr.subject }),
    },
    deps.clock.now(),
  );
  say(deps, peer, "svid.minted_x509", id);
  return create(MintX509SVIDResponseSchema, { svid: toWireSvid(svid) });
}

/** MintJWTSVID: the same for a token. */
export function mintJwt(
  deps: ServiceDeps,
  options: ServiceOptions,
  request: MintJWTSVIDRequest,
  peer: ServerPeer,
): MintJWTSVIDResponse {
  const { trustDomain = "", path = "" } = request.id ?? {};
  const id = workloadId(`spiffe://${trustDomain.replace(/^spiffe:\/\//, "")}${path}`, options);
  const ttlMs = entryTtlMs(checkedTtl(request.ttl), options.jwtSvidTtlMs);
  deps.freshness.assertFresh();
  const svid = signJwt(
    deps.jwtAuthorities.signing(),
    { id, audience: request.audience, ttlMs, issuer: options.jwtIssuer, tokenId: undefined },
    deps.clock.now(),
  );
  say(deps, peer, "svid.minted_jwt", id);
  return create(MintJWTSVIDResponseSchema, { svid: toWireJwtSvid(svid) });
}

/** Nothing is written for an SVID; the log says who took one past the entries. */
function say({ log }: ServiceDeps, peer: ServerPeer, event: string, id: SpiffeId): void {
  const by = peer.kind === "local" ? `uid ${peer.uid}` : peer.kind === "member" ? peer.id : "";
  const fields = { spiffeId: id, by };
  log({ level: "info", event, fields });
}

function workloadId(text: string, { trustDomain }: ServiceOptions): SpiffeId {
  let id: SpiffeId;
  try {
    id = parseSpiffeId(text);
  } catch (cause) {
    throw invalid(isBonafideError(cause) ? cause.message : "not a SPIFFE ID", cause);
  }
  if (trustDomainOf(id) !== trustDomain) throw invalid(`${id} is not of ${trustDomain}`);
  if (pathOf(id) === "" || isReserved(id)) throw invalid(`${id} is no workload's`);
  return id;
}

function checkedTtl(seconds: number): number {
  if (seconds < 0 || seconds > TTL_SECONDS_MAX) throw invalid("ttl is negative");
  return seconds;
}

function checkedDnsNames({ dnsNames }: Csr): readonly string[] {
  if (dnsNames.length > LIMITS.dnsNames) throw invalid("too many DNS names");
  for (const name of dnsNames) {
    const fault = dnsNameFault(name);
    if (fault !== undefined) throw invalid(`DNS name: ${fault}`);
  }
  if (dnsNames.some((name) => isCoveredByWildcard(name, dnsNames))) {
    throw invalid("a wildcard covers another DNS name of the same CSR");
  }
  return dnsNames;
}

function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message, { cause });
}
