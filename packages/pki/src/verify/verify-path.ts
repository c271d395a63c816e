import type { Certificate } from "../x509/certificate.ts";

/** Options of {@link verifyPath}. */
export interface VerifyPathOptions {
  /** Instant to judge at, epoch ms. */
  readonly now: number;
  /**
   * A host that the caller read from the leaf's name with a parser of its own; held against name constraints beside
   * the hosts of every URI name.
   */
  readonly uriName?: string;
  /** What the first certificate must be. Default `end-entity`. */
  readonly subjectKind?: "end-entity" | "authority";
  /** Tighter bounds than `PKI_LIMITS`. */
  readonly limits?: {
    readonly presented?: number;
    readonly pathDepth?: number;
    readonly pathSignatures?: number;
  };
}

/** A chain that was proven. */
export interface VerifiedPath {
  /** Leaf to anchor. */
  readonly path: readonly Certificate[];
  /** When the whole path begins, epoch ms: the latest `notBefore`. */
  readonly notBefore: number;
  /** When the first certificate of the path ends, epoch ms. */
  readonly notAfter: number;
}

/**
 * Finds and proves a path from a leaf to an authority.
 *
 * @param chain    Leaf first, then others in any order, at most 10.
 * @param anchors  The only authorities that count; for an identity, those of its own trust domain alone.
 * @throws PATH_*  the first reason found; PUBLIC_KEY_UNSUPPORTED never: it is PATH_SIGNATURE_WEAK here
 * @spec RFC 5280 §6.1
 */
export function verifyPath(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  options: VerifyPathOptions,
): VerifiedPath {
  throw new Error(`not yet ${chain.length} ${anchors.length} ${options.now}`);
}
