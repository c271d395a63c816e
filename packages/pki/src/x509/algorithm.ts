import { sameBytes } from "../der/bytes.ts";
import { DerReader, type MalformedCode } from "../der/der-reader.ts";
import { encode } from "../der/der-writer.ts";
import { decodeOid, encodeOid } from "../der/oid.ts";
import { TAG } from "../der/tags.ts";
import { OID } from "./oids.ts";

/** A signature algorithm that is accepted. */
export interface SignatureAlgorithm {
  /** The kind of key, as `KeyObject.asymmetricKeyType` spells it. */
  readonly keyType: "ec" | "rsa" | "ed25519";
  /** The hash for node:crypto; null when the scheme hashes by itself. */
  readonly hash: "sha256" | "sha384" | "sha512" | null;
  /** DER of the AlgorithmIdentifier, parameters included. */
  readonly der: Uint8Array;
}

const NULL = Uint8Array.of(TAG.null, 0);

function ecdsa(oid: string, hash: "sha256" | "sha384" | "sha512"): [string, SignatureAlgorithm] {
  return [oid, { keyType: "ec", hash, der: encode(TAG.sequence, oidElement(oid)) }];
}

function rsa(oid: string, hash: "sha256" | "sha384" | "sha512"): [string, SignatureAlgorithm] {
  return [oid, { keyType: "rsa", hash, der: encode(TAG.sequence, oidElement(oid), NULL) }];
}

/** DER of an OBJECT IDENTIFIER. */
export function oidElement(oid: string): Uint8Array {
  return encode(TAG.oid, encodeOid(oid));
}

/** What is accepted, by dotted OID. No SHA-1, no MD5, no RSA-PSS (its parameters are a language of their own). */
export const SIGNATURE_ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ecdsa(OID.ecdsaWithSha256, "sha256"),
  ecdsa(OID.ecdsaWithSha384, "sha384"),
  ecdsa(OID.ecdsaWithSha512, "sha512"),
  rsa(OID.rsaWithSha256, "sha256"),
  rsa(OID.rsaWithSha384, "sha384"),
  rsa(OID.rsaWithSha512, "sha512"),
  [
    OID.ed25519,
    { keyType: "ed25519", hash: null, der: encode(TAG.sequence, oidElement(OID.ed25519)) },
  ],
]);

/**
 * The OID of an AlgorithmIdentifier. One that is accepted must have exactly its own parameters.
 *
 * @param element  The whole element.
 * @throws `code`
 */
export function readAlgorithm(element: Uint8Array, code: MalformedCode): string {
  const whole = new DerReader(element, code);
  const reader = whole.enter(TAG.sequence);
  const oid = decodeOid(reader.content(TAG.oid), code);
  const known = SIGNATURE_ALGORITHMS.get(oid);
  if (known !== undefined && !sameBytes(known.der, element)) throw reader.fail("parameters");
  if (known === undefined && reader.more) {
    reader.element(reader.peek());
    reader.finish();
  }
  return oid;
}
