import { BonafideError, isBonafideError } from "@bonafide/errors";
import { sameBytes } from "../der/bytes.ts";
import { PKI_ERRORS, type PkiErrorCode } from "../errors.ts";
import { publicKeyOf } from "../keys/public-key.ts";
import { verifySignature } from "../keys/signer.ts";
import { PKI_LIMITS } from "../limits.ts";
import { type Certificate, KEY_USAGE } from "../x509/certificate.ts";
import { describeName } from "../x509/name.ts";
import { isHostAllowed, uriHost } from "./name-constraints.ts";

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
  /** Tighter bounds than `PKI_LIMITS`; looser ones count as those. */
  readonly limits?: {
    /** Certificates presented. */
    readonly presented?: number;
    /** Certificates of the path, leaf and anchor included. */
    readonly pathDepth?: number;
    /** Signatures checked. */
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
 * The leaf is no authority and may sign neither certificates nor lists. Each issuer is an authority that may sign
 * certificates, has room for the authorities below it, and may vouch for the names below it. Every certificate is
 * within its validity, the anchor too, and has no critical extension that is not understood. Of several issuers with the
 * right name each is tried: roots share names while they rotate.
 *
 * @param chain    Leaf first, then others in any order.
 * @param anchors  The only authorities that count; for an identity, those of its own trust domain alone.
 * @throws PATH_*  Why the leaf, or the first path tried, was not believed.
 * @spec RFC 5280 §6.1
 */
export function verifyPath(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  options: VerifyPathOptions,
): VerifiedPath {
  const limits = boundedLimits(options.limits ?? {});
  const [leaf] = chain;
  if (leaf === undefined) throw failure("PATH_EMPTY", "no certificate was presented");
  if (chain.length > limits.presented) {
    throw failure("PATH_TOO_LONG", `${chain.length} certificates, at most ${limits.presented}`);
  }
  checkLeaf(leaf, options);
  if (anchors.length === 0) throw failure("PATH_NO_ANCHOR", "no authority to judge by");
  const search: Search = {
    intermediates: chain.slice(1),
    anchors,
    options,
    pathDepth: limits.pathDepth,
    signaturesLeft: limits.pathSignatures,
    reason: undefined,
  };
  const path = extend(search, leaf, [leaf], 0);
  if (path === undefined) {
    throw (
      search.reason ??
      failure("PATH_UNKNOWN_AUTHORITY", `no authority vouches for issuer ${describe(leaf.issuer)}`)
    );
  }
  return {
    path,
    notBefore: Math.max(...path.map((certificate) => certificate.notBefore)),
    notAfter: Math.min(...path.map((certificate) => certificate.notAfter)),
  };
}

interface Search {
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly options: VerifyPathOptions;
  readonly pathDepth: number;
  signaturesLeft: number;
  /** The first reason found. */
  reason: BonafideError | undefined;
}

/**
 * Depth first, anchors before what was presented. `subject` is the end of `path`; `below` the authorities in it that
 * count against a length.
 */
function extend(
  search: Search,
  subject: Certificate,
  path: readonly Certificate[],
  below: number,
): readonly Certificate[] | undefined {
  if (path.length >= search.pathDepth) return undefined;
  for (const isAnchor of [true, false]) {
    for (const issuer of isAnchor ? search.anchors : search.intermediates) {
      if (!mayHaveIssued(issuer, subject) || path.some((seen) => sameBytes(seen.der, issuer.der))) {
        continue;
      }
      try {
        checkIssuer(issuer, path, below, search.options);
        checkSignature(subject, issuer, search);
      } catch (error) {
        if (!isBonafideError(error)) throw error;
        if (error.code === "PATH_TOO_MANY_SIGNATURES") throw error;
        search.reason ??= error;
        continue;
      }
      const longer = [...path, issuer];
      if (isAnchor) return longer;
      const found = extend(search, issuer, longer, below + (isSelfIssued(issuer) ? 0 : 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function checkLeaf(leaf: Certificate, options: VerifyPathOptions): void {
  if (options.subjectKind !== "authority") {
    if (leaf.isAuthority) {
      throw failure("PATH_LEAF_IS_AUTHORITY", "an authority cannot stand for itself");
    }
    const signs = KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign;
    if (leaf.keyUsage !== undefined && (leaf.keyUsage & signs) !== 0) {
      throw failure("PATH_LEAF_KEY_USAGE", "the leaf may sign certificates or lists");
    }
  } else if (!leaf.isAuthority) {
    throw failure("PATH_ISSUER_NOT_AUTHORITY", "the first certificate is not an authority");
  }
  checkFitness(leaf, options.now);
  // Imported, not only looked at: a point beside its curve is no key, whoever signed for it.
  importedKey(leaf);
}

function checkFitness(certificate: Certificate, now: number): void {
  const { notBefore, notAfter, criticalUnknown, serialText } = certificate;
  // Written so that a `now` that is not a number fails, too.
  if (!(now >= notBefore)) {
    throw failure("PATH_NOT_YET_VALID", `certificate ${serialText} begins ${instant(notBefore)}`);
  }
  if (!(now <= notAfter)) {
    throw failure("PATH_EXPIRED", `certificate ${serialText} ended ${instant(notAfter)}`);
  }
  if (criticalUnknown !== undefined) {
    const message = `certificate ${serialText} has a critical extension ${criticalUnknown}`;
    throw failure("PATH_CRITICAL_EXTENSION", message);
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

function mayHaveIssued(issuer: Certificate, subject: Certificate): boolean {
  if (!sameBytes(issuer.subject, subject.issuer)) return false;
  const { authorityKeyId } = subject;
  const { subjectKeyId } = issuer;
  // Only where both sides name a key can the names disagree.
  if (authorityKeyId === undefined || subjectKeyId === undefined) return true;
  return sameBytes(authorityKeyId, subjectKeyId);
}

function isSelfIssued(certificate: Certificate): boolean {
  return sameBytes(certificate.issuer, certificate.subject);
}

function checkIssuer(
  issuer: Certificate,
  path: readonly Certificate[],
  below: number,
  options: VerifyPathOptions,
): void {
  checkFitness(issuer, options.now);
  if (!issuer.isAuthority) {
    throw failure(
      "PATH_ISSUER_NOT_AUTHORITY",
      `issuer ${describe(issuer.subject)} is not an authority`,
    );
  }
  if (issuer.keyUsage !== undefined && (issuer.keyUsage & KEY_USAGE.keyCertSign) === 0) {
    throw failure(
      "PATH_ISSUER_KEY_USAGE",
      `issuer ${describe(issuer.subject)} may not sign certificates`,
    );
  }
  const first = path[0];
  // An authority that is itself the subject counts as one below its issuer.
  const authorities = below + (first?.isAuthority === true && !isSelfIssued(first) ? 1 : 0);
  if (issuer.pathLength !== undefined && authorities > issuer.pathLength) {
    const message = `issuer ${describe(issuer.subject)} allows ${issuer.pathLength} below it`;
    throw failure("PATH_LENGTH_EXCEEDED", message);
  }
  const { uriConstraints } = issuer;
  if (uriConstraints === undefined) return;
  const hosts = path.flatMap((certificate) => certificate.uris.map(uriHost));
  if (options.uriName !== undefined) hosts.push(options.uriName);
  const refused = hosts.findIndex((host) => !isHostAllowed(uriConstraints, host));
  if (refused !== -1) {
    const name = hosts[refused] ?? "a name without a host";
    const message = `issuer ${describe(issuer.subject)} may not vouch for ${name}`;
    throw failure("PATH_NAME_CONSTRAINT", message);
  }
}

function checkSignature(subject: Certificate, issuer: Certificate, search: Search): void {
  if (--search.signaturesLeft < 0) {
    throw failure("PATH_TOO_MANY_SIGNATURES", "too many possible paths");
  }
  const verified = verifySignature({
    algorithm: subject.signatureAlgorithm,
    message: subject.tbs,
    signature: subject.signature,
    publicKey: importedKey(issuer),
  });
  if (!verified) {
    throw failure("PATH_SIGNATURE_INVALID", `not signed by issuer ${describe(issuer.subject)}`);
  }
}

function importedKey(certificate: Certificate): ReturnType<typeof publicKeyOf> {
  try {
    return publicKeyOf(certificate);
  } catch (error) {
    throw failure("PATH_SIGNATURE_WEAK", "a key that is not accepted", error);
  }
}

function bound(value: number | undefined, most: number): number {
  return value !== undefined && value < most ? value : most;
}

function boundedLimits(
  asked: NonNullable<VerifyPathOptions["limits"]>,
): Required<NonNullable<VerifyPathOptions["limits"]>> {
  return {
    presented: bound(asked.presented, PKI_LIMITS.presented),
    pathDepth: bound(asked.pathDepth, PKI_LIMITS.pathDepth),
    pathSignatures: bound(asked.pathSignatures, PKI_LIMITS.pathSignatures),
  };
}

const NAME_CHARACTERS_MAX = 200;

function describe(name: Uint8Array): string {
  return describeName(name).slice(0, NAME_CHARACTERS_MAX) || "without a name";
}

function failure(code: PkiErrorCode, message: string, cause?: unknown): BonafideError {
  return new BonafideError(PKI_ERRORS, code, message, { cause });
}
