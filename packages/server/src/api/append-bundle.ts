import { BonafideError, isBonafideError } from "@bonafide/errors";
import { parseCertificate } from "@bonafide/pki";
import type { AppendBundleRequest } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import type { Bundle, JWTKey, X509Certificate } from "@bonafide/proto/spire/api/types/bundle_pb";
import { authorityIdOf } from "../authority/sign-svid.ts";
import { isJwtKey } from "../authority/upstream.ts";
import { appending } from "../core/append-authorities.ts";
import type { ForeignKey } from "../core/upstream-changes.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { toWireBundle } from "./wire-svid.ts";

/** AppendBundle: an administrator adds authorities to our own bundle, whose keys somebody else holds. */
export async function appendBundle(
  deps: ServiceDeps,
  { trustDomain }: ServiceOptions,
  { jwtAuthorities, outputMask, x509Authorities }: AppendBundleRequest,
  peer: ServerPeer,
): Promise<Bundle> {
  const { access, bundles, clock, lane, log } = deps;
  access.administrator(peer, "write-bundle");
  const count = x509Authorities.length + jwtAuthorities.length;
  if (count === 0) throw invalid("no authority was given");
  if (count > LIMITS.appendedAuthorities) {
    throw new BonafideError(SERVER_ERRORS, "OVERLOADED", "too many authorities in one call");
  }
  const now = clock.now();
  const keys = [
    ...x509Authorities.map((each) => readRoot(each, now)),
    ...jwtAuthorities.map((each) => readJwtKey(each, now)),
  ];
  const meta = { actor: actorOf(peer), cause: "AppendBundle" };
  const { changes } = await lane.submit(appending(keys, now), meta);
  if (changes.length > 0) {
    const fields = { authorities: keys.map(({ use, id }) => `${use}/${id}`) };
    log({ level: "info", event: "authority.appended", fields });
  }
  return toWireBundle(trustDomain, bundles.own(), outputMask);
}

function readRoot({ asn1, tainted }: X509Certificate, now: number): ForeignKey {
  let certificate;
  try {
    certificate = parseCertificate(asn1);
  } catch (cause) {
    if (!isBonafideError(cause)) throw cause;
    throw invalid("an X.509 authority is no certificate", cause);
  }
  if (!certificate.isAuthority) throw invalid("an X.509 authority may not sign certificates");
  if (certificate.notAfter <= now) throw invalid("an X.509 authority has expired");
  return {
    use: "x509",
    id: authorityIdOf(certificate),
    certificate: certificate.der,
    publicKey: certificate.spki,
    notBeforeMs: certificate.notBefore,
    notAfterMs: certificate.notAfter,
    tainted,
  };
}

function readJwtKey({ keyId, publicKey, expiresAt, tainted }: JWTKey, now: number): ForeignKey {
  if (!isJwtKey(keyId, publicKey)) throw invalid("a JWT authority or its id cannot be used");
  const notAfterMs = Number(expiresAt) * 1000;
  if (!Number.isSafeInteger(notAfterMs) || (notAfterMs !== 0 && notAfterMs <= now)) {
    throw invalid("a JWT authority has expired");
  }
  const rest = { publicKey, notBeforeMs: now, notAfterMs, tainted };
  return { use: "jwt", id: keyId, certificate: undefined, ...rest };
}

function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message, { cause });
}
