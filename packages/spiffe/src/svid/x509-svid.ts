import { createPublicKey, type KeyObject } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import {
  type Certificate,
  encodePublicKey,
  parseCertificates,
  parsePem,
  parsePrivateKey,
  parsePrivateKeyPem,
} from "@bonafide/pki";
import { SPIFFE_ERRORS } from "../errors.ts";
import { type SpiffeId, trustDomainOf } from "../id/spiffe-id.ts";
import type { TrustDomain } from "../id/trust-domain.ts";
import { HINT_BYTES_MAX, CHAIN_CERTIFICATES_MAX } from "../limits.ts";
import { leafId } from "./leaf.ts";

/**
 * An X509-SVID of our own, with its key: what we present to peers.
 *
 * @spec X509-SVID §2
 */
export interface X509Svid {
  readonly id: SpiffeId;
  readonly trustDomain: TrustDomain;
  /** What the issuer calls it, for picking one of several; empty when it has no name. */
  readonly hint: string;
  /** Leaf first, then intermediates; the root is not needed. */
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly privateKey: KeyObject;
  readonly notBefore: EpochMs;
  /** When the first certificate of the chain ends. */
  readonly notAfter: EpochMs;
}

/** The parts of an {@link X509Svid}. */
export interface X509SvidParts {
  readonly chain: readonly Certificate[];
  readonly privateKey: KeyObject;
  readonly hint?: string;
}

/**
 * Puts an SVID together and checks that its parts belong together: the leaf's form and the key.
 *
 * @throws X509_SVID_INVALID  `details.reason`: empty, too-long, key-mismatch, hint, or a rule of the leaf
 */
export function x509SvidOf(parts: X509SvidParts): X509Svid {
  const { chain, privateKey, hint = "" } = parts;
  const [leaf, ...rest] = chain;
  if (leaf === undefined) throw invalid("empty");
  if (chain.length > CHAIN_CERTIFICATES_MAX) throw invalid("too-long");
  if (new TextEncoder().encode(hint).length > HINT_BYTES_MAX) throw invalid("hint");
  const id = leafId(leaf);
  const spki = encodePublicKey(createPublicKey(privateKey));
  if (Buffer.compare(spki, leaf.spki) !== 0) throw invalid("key-mismatch");
  return {
    id,
    trustDomain: trustDomainOf(id),
    hint,
    chain: [leaf, ...rest],
    privateKey,
    notBefore: Math.max(...chain.map((certificate) => certificate.notBefore)),
    notAfter: Math.min(...chain.map((certificate) => certificate.notAfter)),
  };
}

/** An SVID as the Workload API carries it. */
export interface X509SvidBytes {
  /** Leaf first, DER, one after the other. */
  readonly chainDer: Uint8Array;
  /** PKCS#8 DER, not encrypted. */
  readonly keyDer: Uint8Array;
  /** The ID that the sender states; held against the leaf. */
  readonly id?: string;
  readonly hint?: string;
}

/**
 * Reads an SVID from the Workload API's bytes.
 *
 * @throws X509_SVID_INVALID  `details.reason`: malformed, key, id-mismatch, or as {@link x509SvidOf}
 * @spec Workload API §5.1
 */
export function parseX509Svid(bytes: X509SvidBytes): X509Svid {
  const chain = attempt("malformed", () => parseCertificates(bytes.chainDer));
  const privateKey = attempt("key", () => parsePrivateKey(bytes.keyDer));
  const svid = x509SvidOf({ chain, privateKey, hint: bytes.hint ?? "" });
  if (bytes.id !== undefined && bytes.id !== svid.id) throw invalid("id-mismatch");
  return svid;
}

/**
 * Reads an SVID from a PEM chain, leaf first, and a PKCS#8 PEM key, such as `tls.crt` and `tls.key`.
 *
 * @throws X509_SVID_INVALID  as {@link parseX509Svid}
 */
export function parseX509SvidPem(chainPem: string, keyPem: string): X509Svid {
  const chain = attempt("malformed", () =>
    parsePem(chainPem).flatMap((block) => {
      if (block.label !== "CERTIFICATE") throw invalid("pem-label");
      return parseCertificates(block.der);
    }),
  );
  return x509SvidOf({ chain, privateKey: attempt("key", () => parsePrivateKeyPem(keyPem)) });
}

function attempt<T>(reason: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw invalid(reason, cause);
  }
}

function invalid(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "X509_SVID_INVALID", `not an X509-SVID: ${reason}`, {
    details: { reason },
    cause,
  });
}
