import type { KeyObject } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import { fitsJwsAlgorithm, verifyJws } from "@bonafide/pki";
import type { JwtBundle, JwtBundleSet } from "../bundle/jwt-bundle.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { SpiffeId } from "../id/spiffe-id.ts";
import { JWT_LEEWAY_MS, KEYS_TRIED_MAX } from "../limits.ts";
import { type CompactJws, parseCompactJws } from "./compact-jws.ts";
import { isAudience, type JwtSvidFacts, readFacts } from "./jwt-svid.ts";

/** Options of {@link verifyJwtSvid}. */
export interface VerifyJwtSvidOptions {
  /** Who we are to the sender: a token must be for one of these, letter for letter. At least one. */
  readonly audience: string | readonly string[];
  /** Instant to judge validity at. */
  readonly now: EpochMs;
  /** How far clocks may be apart, ms, 0 to 60,000. Default 60,000. */
  readonly leewayMs?: number;
}

const ownKey: unique symbol = Symbol("VerifiedJwtSvid");

/**
 * A JWT-SVID that was verified: its trust domain signed it, for us, and it counts now. Not that its sender is its
 * subject: whoever holds the token can show it.
 *
 * Cannot be made from anything but a verification; a copy or a look-alike is not one.
 */
export class VerifiedJwtSvid implements JwtSvidFacts {
  readonly #facts: JwtSvidFacts;

  private constructor(key: typeof ownKey, facts: JwtSvidFacts) {
    // `private` is gone at run time.
    if (key !== ownKey) throw new TypeError("a VerifiedJwtSvid comes from a verification only");
    this.#facts = facts;
  }

  /** Who it speaks for. */
  get id(): SpiffeId {
    return this.#facts.id;
  }

  /** The same as `id`, named as on a verified peer. */
  get spiffeId(): SpiffeId {
    return this.#facts.id;
  }

  get trustDomain(): JwtSvidFacts["trustDomain"] {
    return this.#facts.trustDomain;
  }

  get audience(): readonly string[] {
    return this.#facts.audience;
  }

  get expiresAt(): EpochMs {
    return this.#facts.expiresAt;
  }

  get issuedAt(): EpochMs | undefined {
    return this.#facts.issuedAt;
  }

  get notBefore(): EpochMs | undefined {
    return this.#facts.notBefore;
  }

  /** Every claim as its trust domain signed it; what they mean is that domain's business (SPIFFE-ID §4.1). */
  get claims(): JwtSvidFacts["claims"] {
    return this.#facts.claims;
  }

  /** The SPIFFE ID, so that a caller can be logged as it is. */
  toString(): string {
    return this.#facts.id;
  }

  /** Says who it is and until when, and nothing of the token. */
  toJSON(): { readonly spiffeId: SpiffeId; readonly expiresAt: EpochMs } {
    return { spiffeId: this.#facts.id, expiresAt: this.#facts.expiresAt };
  }

  /** Whether a value was verified, and does not only look like it. */
  static isVerifiedJwtSvid(value: unknown): value is VerifiedJwtSvid {
    return typeof value === "object" && value !== null && #facts in value;
  }

  /** As {@link verifyJwtSvid}. */
  static verify(
    token: string,
    bundles: JwtBundleSet,
    options: VerifyJwtSvidOptions,
  ): VerifiedJwtSvid {
    const parsed = parseCompactJws(token);
    const facts = readFacts(parsed);
    checkAudience(facts, options.audience);
    checkTimes(facts, options);
    checkSignature(parsed, facts, bundles);
    return new VerifiedJwtSvid(ownKey, facts);
  }
}

/**
 * Verifies a JWT-SVID against the JWT keys of its subject's own trust domain, and no others.
 *
 * @param bundles  Asked for exactly one trust domain.
 * @throws JWT_SVID_INVALID    the token breaks the profile
 * @throws BUNDLE_NOT_FOUND    no bundle, or one without JWT keys, for the subject's trust domain
 * @throws JWT_SVID_UNTRUSTED  `details.reason`: audience, expired, not-yet-valid, key-unknown, signature
 * @throws TypeError           no audience of our own was given
 * @spec JWT-SVID §4
 */
export function verifyJwtSvid(
  token: string,
  bundles: JwtBundleSet,
  options: VerifyJwtSvidOptions,
): VerifiedJwtSvid {
  return VerifiedJwtSvid.verify(token, bundles, options);
}

function checkAudience(facts: JwtSvidFacts, own: string | readonly string[]): void {
  const wanted = typeof own === "string" ? [own] : own;
  if (!isAudience(wanted)) throw new TypeError("an audience of our own is needed");
  if (!facts.audience.some((one) => wanted.includes(one))) throw untrusted(facts, "audience");
}

function checkTimes(facts: JwtSvidFacts, { now, leewayMs }: VerifyJwtSvidOptions): void {
  const leeway = Math.min(Math.max(leewayMs ?? JWT_LEEWAY_MS, 0), JWT_LEEWAY_MS);
  // Written so that a `now` or leeway that is not a number fails, too.
  if (!(now < facts.expiresAt + leeway)) throw untrusted(facts, "expired");
  for (const from of [facts.notBefore, facts.issuedAt]) {
    if (from !== undefined && !(now >= from - leeway)) throw untrusted(facts, "not-yet-valid");
  }
}

function checkSignature(parsed: CompactJws, facts: JwtSvidFacts, bundles: JwtBundleSet): void {
  const bundle = bundles.get(facts.trustDomain);
  if (bundle === undefined || bundle.keys.size === 0) {
    throw new BonafideError(
      SPIFFE_ERRORS,
      "BUNDLE_NOT_FOUND",
      `no JWT keys are known for trust domain ${facts.trustDomain}`,
      { details: { trustDomain: facts.trustDomain } },
    );
  }
  const { algorithm, signature, signed: message } = parsed;
  const keys = candidates(parsed, bundle);
  if (keys.length === 0) throw untrusted(facts, "key-unknown");
  const proven = keys.some((publicKey) => verifyJws({ algorithm, message, signature, publicKey }));
  if (!proven) throw untrusted(facts, "signature");
}

/** The key that the token names, or each that fits when it names none (C6); always of the token's own algorithm. */
function candidates({ algorithm, keyId }: CompactJws, bundle: JwtBundle): readonly KeyObject[] {
  const named = keyId === undefined ? [...bundle.keys.values()] : [bundle.keys.get(keyId)];
  return named
    .filter((key) => key !== undefined)
    .filter((key) => fitsJwsAlgorithm(algorithm, key))
    .slice(0, KEYS_TRIED_MAX);
}

function untrusted({ id, trustDomain }: JwtSvidFacts, reason: string): BonafideError {
  return new BonafideError(
    SPIFFE_ERRORS,
    "JWT_SVID_UNTRUSTED",
    `the JWT-SVID of ${id} is not accepted: ${reason}`,
    { details: { id, trustDomain, reason } },
  );
}
