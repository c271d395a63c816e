import { BonafideError } from "@bonafide/errors";
import { parseCertificates, publicKeyOf } from "@bonafide/pki";
import {
  type Bundle,
  type BundleMask,
  BundleMaskSchema,
  type JWTKey,
  type WITKey,
} from "@bonafide/proto/spire/api/types/bundle_pb";
import {
  parseTrustDomain,
  type SpiffeBundle,
  type TokenAuthority,
  type TrustDomain,
  x509BundleOf,
} from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { SERVER_ERRORS } from "../errors.ts";

/** A mask that lets everything through; what an absent mask means. */
export const WHOLE_BUNDLE: BundleMask = create(BundleMaskSchema, {
  x509Authorities: true,
  jwtAuthorities: true,
  witAuthorities: true,
  refreshHint: true,
  sequenceNumber: true,
});

/**
 * The name of another trust domain.
 *
 * @throws REQUEST_INVALID  no name, or our own
 */
export function readForeignName(name: string, own: TrustDomain): TrustDomain {
  let trustDomain: TrustDomain;
  try {
    trustDomain = parseTrustDomain(name);
  } catch (cause) {
    throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "not a trust domain", { cause });
  }
  if (trustDomain !== own) return trustDomain;
  throw new BonafideError(
    SERVER_ERRORS,
    "REQUEST_INVALID",
    "this is the server's own trust domain, which it does not federate with",
  );
}

/**
 * Another trust domain's bundle as a caller gives it.
 *
 * @throws REQUEST_INVALID  its trust domain
 * @throws BUNDLE_INVALID   what is in it
 */
export function readWireBundle(wire: Bundle, own: TrustDomain): SpiffeBundle {
  const trustDomain = readForeignName(wire.trustDomain, own);
  const { refreshHint, sequenceNumber } = wire;
  if (refreshHint < 0n || refreshHint > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalid("the refresh hint is not a number of seconds");
  }
  return {
    trustDomain,
    sequence: sequenceNumber === 0n ? undefined : sequenceNumber,
    refreshHintSeconds: refreshHint === 0n ? undefined : Number(refreshHint),
    x509: reading("an X.509 authority is not a certificate", () =>
      x509BundleOf(
        trustDomain,
        wire.x509Authorities.flatMap(({ asn1 }) => parseCertificates(asn1)),
      ),
    ),
    jwtAuthorities: wire.jwtAuthorities.map(readKey),
    witAuthorities: wire.witAuthorities.map(readKey),
  };
}

/** The stored bundle with the given one's fields where the mask has them. */
export function mergeBundle(
  stored: SpiffeBundle,
  given: SpiffeBundle,
  mask: BundleMask = WHOLE_BUNDLE,
): SpiffeBundle {
  return {
    ...stored,
    ...(mask.x509Authorities ? { x509: given.x509 } : {}),
    ...(mask.jwtAuthorities ? { jwtAuthorities: given.jwtAuthorities } : {}),
    ...(mask.witAuthorities ? { witAuthorities: given.witAuthorities } : {}),
    ...(mask.refreshHint ? { refreshHintSeconds: given.refreshHintSeconds } : {}),
    ...(mask.sequenceNumber ? { sequence: given.sequence } : {}),
  };
}

function readKey({ keyId, publicKey }: JWTKey | WITKey): TokenAuthority {
  if (keyId === "") throw invalid("a key has no ID");
  return {
    keyId,
    publicKey: reading("a key cannot be read", () => publicKeyOf({ spki: publicKey })),
  };
}

function reading<T>(message: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalid(message, cause);
  }
}

function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(SERVER_ERRORS, "BUNDLE_INVALID", message, { cause });
}
