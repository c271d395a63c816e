import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Certificate, parseCertificates, publicKeyOf } from "@bonafide/pki";
import type { Bundle, JWTKey } from "@bonafide/proto/spire/api/types/bundle_pb";
import {
  isTrustDomain,
  jwtBundleOf,
  type TokenAuthority,
  type TrustDomain,
  x509BundleOf,
} from "@bonafide/spiffe";
import type { TrustBundle } from "../core/bundle.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { AUTHORITIES_PER_BUNDLE_MAX } from "../limits.ts";
import { authorityKeyId } from "./key-id.ts";

/**
 * Reads a bundle from the server's API.
 *
 * @param expected  The trust domain that it has to be of, where one was asked for.
 * @throws SERVER_ANSWER_INVALID
 */
export function parseBundle(bundle: Bundle, expected?: TrustDomain): TrustBundle {
  const name = bundle.trustDomain.replace(/^spiffe:\/\//, "");
  if (!isTrustDomain(name) || (expected !== undefined && name !== expected)) {
    throw invalid(`a bundle of trust domain ${JSON.stringify(bundle.trustDomain.slice(0, 300))}`);
  }
  if (bundle.x509Authorities.length > AUTHORITIES_PER_BUNDLE_MAX) {
    throw invalid(`${bundle.x509Authorities.length} authorities in one bundle`);
  }
  const authorities: Certificate[] = [];
  const tainted = new Set<string>();
  for (const authority of bundle.x509Authorities) {
    let certificates: readonly Certificate[];
    try {
      certificates = parseCertificates(authority.asn1);
    } catch (cause) {
      throw invalid("an authority that is no certificate", cause);
    }
    for (const certificate of certificates) {
      authorities.push(certificate);
      if (authority.tainted) tainted.add(authorityKeyId(certificate));
    }
  }
  return {
    trustDomain: name,
    x509: x509BundleOf(name, authorities),
    tainted,
    ...readJwtKeys(name, bundle.jwtAuthorities, { isForeign: expected === undefined }),
    sequence: bundle.sequenceNumber,
  };
}

/**
 * A key of a kind that we do not know verifies nothing here; it must not take the rest of a bundle with it. Nor must a
 * foreign domain take ours with it: two keys of one ID, of which nobody knows which is meant, are both left out there.
 */
function readJwtKeys(
  trustDomain: TrustDomain,
  keys: readonly JWTKey[],
  { isForeign }: { readonly isForeign: boolean },
): Pick<TrustBundle, "jwt" | "taintedJwt"> {
  if (keys.length > AUTHORITIES_PER_BUNDLE_MAX) {
    throw invalid(`${keys.length} JWT keys in one bundle`);
  }
  const authorities: TokenAuthority[] = [];
  const taintedJwt = new Set<string>();
  for (const { keyId, publicKey, tainted } of keys) {
    if (keyId === "") throw invalid("a JWT key without an ID");
    try {
      authorities.push({ keyId, publicKey: publicKeyOf({ spki: publicKey }) });
    } catch (error) {
      if (isBonafideError(error, "PUBLIC_KEY_UNSUPPORTED")) continue;
      throw error;
    }
    if (tainted) taintedJwt.add(keyId);
  }
  try {
    return {
      jwt: jwtBundleOf(trustDomain, isForeign ? withoutDoubled(authorities) : authorities),
      taintedJwt,
    };
  } catch (cause) {
    throw invalid("two JWT keys of one ID", cause);
  }
}

function withoutDoubled(authorities: readonly TokenAuthority[]): readonly TokenAuthority[] {
  const known = new Map(authorities.map(({ keyId, publicKey }) => [keyId, publicKey]));
  const doubled = new Set<string>();
  for (const { keyId, publicKey } of authorities) {
    if (known.get(keyId)?.equals(publicKey) !== true) doubled.add(keyId);
  }
  return authorities.filter(({ keyId }) => !doubled.has(keyId));
}

function invalid(what: string, cause?: unknown): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`, {
    cause,
  });
}
