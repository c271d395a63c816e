import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import type { JwsSigner } from "@bonafide/pki";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { SpiffeId } from "../id/spiffe-id.ts";
import { isAudience } from "./jwt-svid.ts";

/** What to sign. */
export interface JwtSvidTemplate {
  readonly id: SpiffeId;
  /** 1 to 32; one is best: every holder of a token can show it to all its audiences (JWT-SVID §7.2). */
  readonly audience: readonly string[];
  /** Whole seconds count. */
  readonly issuedAt: EpochMs;
  /** Whole seconds count; later than `issuedAt`. */
  readonly expiresAt: EpochMs;
  readonly issuer?: string;
  /** Makes the token one of its kind. */
  readonly tokenId?: string;
}

/** Header and payload hold exactly what the standard names, in one order. */
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const headers = new WeakMap<JwsSigner, { readonly keyId: string; readonly text: string }>();

/**
 * Signs a JWT-SVID: `alg`, `kid` and `typ` in its header, `sub`, `aud`, `iat` and `exp` in its payload, and `iss` and
 * `jti` where given.
 *
 * @param keyId  The key's ID in the trust domain's bundle.
 * @returns The token in compact form.
 * @throws JWT_SVID_UNSIGNABLE  no key ID, an audience that cannot be one, or an end that is not after the beginning
 * @spec JWT-SVID §2, §3
 */
export function signJwtSvid(signer: JwsSigner, keyId: string, template: JwtSvidTemplate): string {
  const { id, audience, issuer, tokenId } = template;
  if (keyId === "") throw unsignable("key-id");
  if (!isAudience(audience)) throw unsignable("audience");
  const iat = Math.floor(template.issuedAt / 1000);
  const exp = Math.floor(template.expiresAt / 1000);
  if (!(iat >= 0 && exp > iat)) throw unsignable("times");
  const payload = encode({
    sub: id,
    aud: audience,
    exp,
    iat,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(tokenId === undefined ? {} : { jti: tokenId }),
  });
  const signed = `${headerOf(signer, keyId)}.${payload}`;
  const signature = signer.sign(new Uint8Array(Buffer.from(signed, "latin1")));
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}

function headerOf(signer: JwsSigner, keyId: string): string {
  const known = headers.get(signer);
  if (known?.keyId === keyId) return known.text;
  const text = encode({ alg: signer.algorithm, kid: keyId, typ: "JWT" });
  headers.set(signer, { keyId, text });
  return text;
}

function unsignable(reason: string): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "JWT_SVID_UNSIGNABLE", `not signed: ${reason}`, {
    details: { reason },
  });
}
