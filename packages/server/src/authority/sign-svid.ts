import { BonafideError } from "@bonafide/errors";
import type { Position } from "@bonafide/ledger";
import type { EpochMs } from "@bonafide/lifetime";
import {
  type Certificate,
  CertificateIssuer,
  encodeName,
  issueRoot,
  keyIdOf,
  parseCertificate,
  randomSerial,
  type Signer,
} from "@bonafide/pki";
import type { SpiffeId, TrustDomain } from "@bonafide/spiffe";
import { encodeSignedAt, SIGNED_AT_OID } from "../core/signed-at.ts";
import { authorityValidity, leafValidity } from "../core/svid-validity.ts";
import { SERVER_ERRORS } from "../errors.ts";

/** An authority whose key is at hand. */
export interface SigningAuthority {
  /** Hex subject key identifier. */
  readonly id: string;
  readonly certificate: Certificate;
  readonly notAfter: EpochMs;
  readonly issuer: CertificateIssuer;
  /** What goes after a leaf: certificates between it and the root, which itself is never sent. */
  readonly intermediates: readonly Uint8Array[];
}

/** A certificate just signed, as the wire carries it. */
export interface SignedSvid {
  readonly id: SpiffeId;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Decimal. */
  readonly serialText: string;
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

/** What to certify. */
export interface SvidRequest {
  readonly id: SpiffeId;
  /** DER of the public key; its holder proved to have the private one. */
  readonly spki: Uint8Array;
  readonly ttlMs: number;
  readonly dnsNames?: readonly string[];
  /** DER of a Name; default that of SPIRE's workloads. */
  readonly subject?: Uint8Array;
  /** Agent SVIDs only: the state of the ledger that this server has adopted. */
  readonly signedAt?: Position;
}

/** Longest common name of a certificate (RFC 5280 appendix A.1, ub-common-name). */
const COMMON_NAME_MAX = 64;

const PLAIN_SUBJECT = encodeName([
  { type: "C", value: "US" },
  { type: "O", value: "SPIFFE" },
]);

/**
 * Signs an X509-SVID. Its end is that of its issuer at the latest.
 *
 * @throws AUTHORITY_NOT_READY  the authority ends too soon for an SVID to be of use
 */
export function signSvid(
  authority: SigningAuthority,
  request: SvidRequest,
  now: EpochMs,
): SignedSvid {
  const { id, spki, ttlMs, dnsNames = [], signedAt } = request;
  const validity = leafValidity(now, ttlMs, authority.notAfter);
  if (validity === undefined) {
    throw new BonafideError(
      SERVER_ERRORS,
      "AUTHORITY_NOT_READY",
      "the signing authority has ended",
    );
  }
  const issued = authority.issuer.issueLeaf({
    spki,
    uris: [id],
    dnsNames,
    subject: request.subject ?? subjectOf(dnsNames[0]),
    ...validity,
    ...(signedAt === undefined
      ? {}
      : { extensions: [{ oid: SIGNED_AT_OID, value: encodeSignedAt(signedAt) }] }),
  });
  return {
    id,
    chain: [issued.der, ...authority.intermediates],
    serialText: issued.serialText,
    notBefore: issued.notBefore,
    notAfter: issued.notAfter,
  };
}

/** What to certify of a server below this one. */
export interface DownstreamRequest {
  readonly trustDomain: TrustDomain;
  /** DER of the public key; its holder proved to have the private one. */
  readonly spki: Uint8Array;
  readonly ttlMs: number;
}

/**
 * Signs an authority for a server below this one. Its end is that of its issuer at the latest.
 *
 * @returns DER, the new authority first, then what stands between it and the root.
 * @throws AUTHORITY_NOT_READY  the authority ends too soon
 */
export function signDownstream(
  authority: SigningAuthority,
  { trustDomain, spki, ttlMs }: DownstreamRequest,
  now: EpochMs,
): { readonly chain: readonly Uint8Array[]; readonly id: string; readonly notAfter: EpochMs } {
  const validity = leafValidity(now, ttlMs, authority.notAfter);
  if (validity === undefined) {
    throw new BonafideError(
      SERVER_ERRORS,
      "AUTHORITY_NOT_READY",
      "the signing authority has ended",
    );
  }
  const serial = randomSerial();
  const issued = authority.issuer.issueAuthority({
    spki,
    uris: [`spiffe://${trustDomain}`],
    serial,
    subject: encodeName([
      { type: "C", value: "US" },
      { type: "O", value: "SPIFFE" },
      { type: "OU", value: "DOWNSTREAM" },
      { type: "serialNumber", value: serial.toString() },
    ]),
    ...validity,
  });
  const id = Buffer.from(keyIdOf(spki)).toString("hex");
  const { notAfter } = issued;
  return { chain: [issued.der, ...authority.intermediates], id, notAfter };
}

/**
 * Makes a self-signed authority of a trust domain. Its subject repeats the serial number, so that no two authorities
 * have one name: verifiers that find issuers by name would otherwise try them all.
 */
export function makeRoot(
  signer: Signer,
  trustDomain: TrustDomain,
  ttlMs: number,
  now: EpochMs,
): Certificate {
  const serial = randomSerial();
  const root = issueRoot(signer, {
    uris: [`spiffe://${trustDomain}`],
    serial,
    subject: encodeName([
      { type: "C", value: "US" },
      { type: "O", value: "SPIFFE" },
      { type: "serialNumber", value: serial.toString() },
    ]),
    ...authorityValidity(now, ttlMs),
  });
  return parseCertificate(root.der);
}

/** An authority with its key, ready to sign. @throws TEMPLATE_INVALID  the key is not the certificate's */
export function signingAuthority(
  chain: readonly Uint8Array[],
  signer: Signer,
): SigningAuthority | undefined {
  const [own, ...above] = chain;
  if (own === undefined) return undefined;
  const certificate = parseCertificate(own);
  const ends = above.map((der) => parseCertificate(der).notAfter);
  return {
    id: authorityIdOf(certificate),
    certificate,
    notAfter: Math.min(certificate.notAfter, ...ends),
    issuer: new CertificateIssuer(certificate, signer),
    // The last of the chain is the root. A chain of one is a root that signs itself: nothing goes out with the leaf.
    intermediates: above.length === 0 ? [] : [own, ...above.slice(0, -1)],
  };
}

/** The id of an X.509 authority: its subject key identifier in lower-case hex. */
export function authorityIdOf(certificate: Certificate): string {
  return Buffer.from(certificate.subjectKeyId ?? keyIdOf(certificate.spki)).toString("hex");
}

function subjectOf(dnsName: string | undefined): Uint8Array {
  if (dnsName === undefined || dnsName.length > COMMON_NAME_MAX) return PLAIN_SUBJECT;
  return encodeName([
    { type: "C", value: "US" },
    { type: "O", value: "SPIFFE" },
    { type: "CN", value: dnsName },
  ]);
}
