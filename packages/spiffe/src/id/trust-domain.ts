import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { TRUST_DOMAIN_BYTES_MAX } from "../limits.ts";

declare const brand: unique symbol;

/**
 * A trust domain name, such as `example.org`, that was checked. Compares with `===`: only lower case exists.
 *
 * @spec SPIFFE-ID §2.1
 */
export type TrustDomain = string & { readonly [brand]: "TrustDomain" };

/** Why a text is no trust domain name. */
export type TrustDomainFault = "empty" | "too-long" | "character";

const DOT = 0x2e;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/** The first rule that `name` breaks, or `undefined`. Names that look like addresses or DNS names are only names. */
export function trustDomainFault(name: string): TrustDomainFault | undefined {
  if (name.length === 0) return "empty";
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const isAllowed =
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x30 && code <= 0x39) ||
      code === DOT ||
      code === DASH ||
      code === UNDERSCORE;
    if (!isAllowed) return "character";
  }
  return name.length > TRUST_DOMAIN_BYTES_MAX ? "too-long" : undefined;
}

/** Whether `name` is a trust domain name, without a scheme. */
export function isTrustDomain(name: string): name is TrustDomain {
  return trustDomainFault(name) === undefined;
}

/**
 * Reads a trust domain name, without a scheme.
 *
 * @throws TRUST_DOMAIN_INVALID  empty, longer than 255 bytes, or with a byte outside `[a-z0-9.-_]`
 * @spec SPIFFE-ID §2.1
 */
export function parseTrustDomainName(name: string): TrustDomain {
  if (isTrustDomain(name)) return name;
  throw new BonafideError(SPIFFE_ERRORS, "TRUST_DOMAIN_INVALID", "not a trust domain name", {
    details: { reason: trustDomainFault(name) ?? "character" },
  });
}
