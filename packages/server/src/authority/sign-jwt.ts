import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import { signJwtSvid, type SpiffeId } from "@bonafide/spiffe";
import { SERVER_ERRORS } from "../errors.ts";
import type { JwtAuthority } from "./authority-kind.ts";

/** A token just signed. */
export interface SignedJwtSvid {
  readonly id: SpiffeId;
  /** Whoever holds it is its subject: it is never logged. */
  readonly token: string;
  readonly issuedAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** What to sign. */
export interface JwtRequest {
  readonly id: SpiffeId;
  readonly audience: readonly string[];
  readonly ttlMs: number;
  /** Empty for none. */
  readonly issuer: string;
  /** Undefined for none. */
  readonly tokenId: string | undefined;
}

/**
 * Signs a JWT-SVID. Its end is that of its key at the latest.
 *
 * @throws AUTHORITY_NOT_READY  the key ends too soon for a token to be of use
 * @throws JWT_SVID_UNSIGNABLE  what is no audience
 */
export function signJwt(authority: JwtAuthority, request: JwtRequest, now: EpochMs): SignedJwtSvid {
  const { id, audience, ttlMs, issuer, tokenId } = request;
  const issuedAt = Math.floor(now / 1000) * 1000;
  const expiresAt = Math.floor(Math.min(now + ttlMs, authority.notAfter) / 1000) * 1000;
  if (expiresAt <= issuedAt) {
    throw new BonafideError(SERVER_ERRORS, "AUTHORITY_NOT_READY", "the signing key has ended");
  }
  const token = signJwtSvid(authority.signer, authority.id, {
    id,
    audience,
    issuedAt,
    expiresAt,
    ...(issuer === "" ? {} : { issuer }),
    ...(tokenId === undefined ? {} : { tokenId }),
  });
  return { id, token, issuedAt, expiresAt };
}
