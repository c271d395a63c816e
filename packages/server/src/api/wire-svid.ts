import { encodePublicKey } from "@bonafide/pki";
import {
  type Bundle,
  type BundleMask,
  BundleSchema,
  type JWTKeySchema,
} from "@bonafide/proto/spire/api/types/bundle_pb";
import { type JWTSVID, JWTSVIDSchema } from "@bonafide/proto/spire/api/types/jwtsvid_pb";
import { type X509SVID, X509SVIDSchema } from "@bonafide/proto/spire/api/types/x509svid_pb";
import type { TokenAuthority } from "@bonafide/spiffe";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ForeignBundle } from "../authority/bundle-cache.ts";
import type { SignedJwtSvid } from "../authority/sign-jwt.ts";
import type { SignedSvid } from "../authority/sign-svid.ts";
import type { BundleJwtKey, OwnBundle } from "../core/bundle.ts";
import { WHOLE_BUNDLE } from "./wire-bundle.ts";
import { toWireId } from "./wire-entry.ts";

/** How often holders of our bundle should ask for it again, seconds. */
const REFRESH_HINT_SECONDS = 300;

/** A signed SVID as the wire has it. Its end is in whole seconds, as in the certificate. */
export function toWireSvid(svid: SignedSvid, hint = ""): X509SVID {
  return create(X509SVIDSchema, {
    certChain: [...svid.chain],
    id: toWireId(svid.id),
    expiresAt: BigInt(Math.floor(svid.notAfter / 1000)),
    hint,
  });
}

/** Our own bundle as the wire has it. @param mask  undefined: every field; the trust domain always goes out */
export function toWireBundle(
  trustDomain: string,
  own: { readonly number: number; readonly bundle: OwnBundle },
  mask?: BundleMask,
): Bundle {
  const has = (
    field: "x509Authorities" | "jwtAuthorities" | "refreshHint" | "sequenceNumber",
  ): boolean => mask === undefined || mask[field];
  return create(BundleSchema, {
    trustDomain,
    ...(has("x509Authorities")
      ? { x509Authorities: own.bundle.x509.map(({ root, tainted }) => ({ asn1: root, tainted })) }
      : {}),
    ...(has("jwtAuthorities") ? { jwtAuthorities: own.bundle.jwt.map(toWireJwtKey) } : {}),
    ...(has("refreshHint") ? { refreshHint: BigInt(REFRESH_HINT_SECONDS) } : {}),
    ...(has("sequenceNumber") ? { sequenceNumber: BigInt(own.number) } : {}),
  });
}

/** A key of our own bundle as the wire has it. */
export function toWireJwtKey(key: BundleJwtKey): MessageInitShape<typeof JWTKeySchema> {
  const { id, publicKey, notAfter, tainted } = key;
  return { keyId: id, publicKey, expiresAt: BigInt(Math.floor(notAfter / 1000)), tainted };
}

/** A signed JWT-SVID as the wire has it. */
export function toWireJwtSvid(svid: SignedJwtSvid, hint = ""): JWTSVID {
  return create(JWTSVIDSchema, {
    token: svid.token,
    id: toWireId(svid.id),
    issuedAt: BigInt(Math.floor(svid.issuedAt / 1000)),
    expiresAt: BigInt(Math.floor(svid.expiresAt / 1000)),
    hint,
  });
}

/** Another trust domain's bundle as the wire has it. @param mask  as of {@link toWireBundle} */
export function toWireForeignBundle(
  foreign: ForeignBundle,
  mask: BundleMask = WHOLE_BUNDLE,
): Bundle {
  const { x509, jwtAuthorities, witAuthorities, sequence, refreshHintSeconds } = foreign;
  return create(BundleSchema, {
    trustDomain: x509.trustDomain,
    ...(mask.x509Authorities
      ? { x509Authorities: x509.authorities.map(({ der }) => ({ asn1: der })) }
      : {}),
    ...(mask.jwtAuthorities ? { jwtAuthorities: jwtAuthorities.map(toWireKey) } : {}),
    ...(mask.witAuthorities ? { witAuthorities: witAuthorities.map(toWireKey) } : {}),
    ...(mask.refreshHint ? { refreshHint: BigInt(refreshHintSeconds ?? 0) } : {}),
    ...(mask.sequenceNumber ? { sequenceNumber: sequence ?? 0n } : {}),
  });
}

function toWireKey({ keyId, publicKey }: TokenAuthority): { keyId: string; publicKey: Uint8Array } {
  return { keyId, publicKey: encodePublicKey(publicKey) };
}
