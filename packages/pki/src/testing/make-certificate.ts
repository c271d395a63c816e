import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { encode } from "../der/der-writer.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import { encodeTime } from "../der/time.ts";
import { randomSerialOctets } from "../issue/serial.ts";
import { keyIdOf } from "../keys/public-key.ts";
import { formatPem } from "../pem.ts";
import { oidElement } from "../x509/algorithm.ts";
import { KEY_USAGE } from "../x509/certificate.ts";
import { encodeName } from "../x509/name.ts";
import { OID } from "../x509/oids.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "latin1"));
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => encode(TAG.sequence, ...parts);

/** Kinds of key that a certificate can be made with, weak ones too. */
export type MadeKeyKind = "ec-p256" | "ec-p384" | "ec-p521" | "ed25519" | "rsa-2048" | "rsa-1024";

/** A key pair, to be used in several certificates. */
export interface MadeKey {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

/** What to make; every field that is left out has a sound value. */
export interface MadeTemplate {
  /** Common name; empty for no subject. */
  readonly commonName?: string;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Further names as whole elements. */
  readonly otherNames?: readonly Uint8Array[];
  /** A mask of `KEY_USAGE`; null leaves the extension out. */
  readonly keyUsage?: number | null;
  /** Dotted OIDs; none leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[];
  readonly hasBasicConstraints?: boolean;
  readonly hasKeyIds?: boolean;
  /** URI hosts. */
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  /** Further extensions, in front of all others. */
  readonly extensions?: readonly Uint8Array[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly key?: MadeKey;
  readonly keyKind?: MadeKeyKind;
  readonly signatureHash?: "sha1" | "sha256";
  /** Value of the version field; 2 is version 3. */
  readonly version?: number;
  /** Content octets of the serial number. */
  readonly serial?: Uint8Array;
  /** The algorithm inside the signed part, where it shall differ from the one outside. */
  readonly innerAlgorithm?: Uint8Array;
  /** Names this issuer instead of the real one. */
  readonly issuerName?: string;
}

/** A certificate made for a test, with all that its children need. */
export interface MadeCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
  readonly template: MadeTemplate;
}

/** Generates a key pair of any kind. */
export function makeKey(kind: MadeKeyKind = "ec-p256"): MadeKey {
  const { privateKey, publicKey } = generate(kind);
  return { privateKey, spki: new Uint8Array(publicKey.export({ format: "der", type: "spki" })) };
}

function generate(kind: MadeKeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === "ed25519") return generateKeyPairSync("ed25519");
  if (kind.startsWith("rsa"))
    return generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) });
  return generateKeyPairSync("ec", { namedCurve: `P-${kind.slice("ec-p".length)}` });
}

/** DER of an extension, to be put into {@link MadeTemplate.extensions}. */
export function madeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [Uint8Array.of(TAG.boolean, 1, 0xff)] : [];
  return sequence(oidElement(oid), ...flag, encode(TAG.octetString, value));
}

/**
 * Makes a certificate, well-formed or with any defect that a validator must find. Slow and plain on purpose, and no code
 * shared with the issuer's but the DER encoder.
 *
 * @param issuer  Signs it; itself when absent.
 */
export function makeCertificate(
  template: MadeTemplate = {},
  issuer?: MadeCertificate,
): MadeCertificate {
  const { commonName = "made", isAuthority = false, notBefore, notAfter, version = 2 } = template;
  const key = template.key ?? makeKey(template.keyKind);
  const signingKey = issuer?.privateKey ?? key.privateKey;
  const { algorithm, hash } = algorithmOf(signingKey, template.signatureHash ?? "sha256");
  const issuerName = template.issuerName ?? issuer?.template.commonName ?? commonName;
  const now = Date.now();
  const tbs = sequence(
    encode(contextGroupTag(0), encode(TAG.integer, Uint8Array.of(version))),
    encode(TAG.integer, template.serial ?? randomSerialOctets()),
    template.innerAlgorithm ?? algorithm,
    name(issuerName),
    sequence(encodeTime(notBefore ?? now - MINUTE_MS), encodeTime(notAfter ?? now + HOUR_MS)),
    name(commonName),
    key.spki,
    encode(
      contextGroupTag(3),
      sequence(
        ...(template.extensions ?? []),
        ...standardExtensions({ ...template, isAuthority, commonName }, key, issuer),
      ),
    ),
  );
  const signature = new Uint8Array(sign(hash, tbs, signingKey));
  const der = sequence(tbs, algorithm, encode(TAG.bitString, Uint8Array.of(0), signature));
  const pem = formatPem("CERTIFICATE", der);
  return { der, pem, privateKey: key.privateKey, spki: key.spki, template };
}

function name(commonName: string): Uint8Array {
  return encodeName(commonName === "" ? [] : [{ type: "CN", value: commonName }]);
}

function standardExtensions(
  template: MadeTemplate,
  key: MadeKey,
  issuer: MadeCertificate | undefined,
): readonly Uint8Array[] {
  const extensions: Uint8Array[] = [];
  const {
    isAuthority = false,
    pathLength,
    hasBasicConstraints = true,
    hasKeyIds = true,
  } = template;
  if (hasBasicConstraints) {
    const flag = isAuthority ? [Uint8Array.of(TAG.boolean, 1, 0xff)] : [];
    const length = pathLength === undefined ? [] : [Uint8Array.of(TAG.integer, 1, pathLength)];
    extensions.push(madeExtension(OID.basicConstraints, true, sequence(...flag, ...length)));
  }
  const usage =
    template.keyUsage === undefined
      ? isAuthority
        ? KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign
        : KEY_USAGE.digitalSignature
      : template.keyUsage;
  if (usage !== null) extensions.push(madeExtension(OID.keyUsage, true, namedBits(usage)));
  if (hasKeyIds) {
    const keyId = encode(TAG.octetString, keyIdOf(key.spki));
    extensions.push(madeExtension(OID.subjectKeyId, false, keyId));
    const issuerId = encode(contextTag(0), keyIdOf(issuer?.spki ?? key.spki));
    extensions.push(madeExtension(OID.authorityKeyId, false, sequence(issuerId)));
  }
  const names = [
    ...(template.uris ?? []).map((uri) => encode(contextTag(6), text(uri))),
    ...(template.dnsNames ?? []).map((dns) => encode(contextTag(2), text(dns))),
    ...(template.otherNames ?? []),
  ];
  if (names.length > 0) {
    const isCritical = template.commonName === "";
    extensions.push(madeExtension(OID.subjectAltName, isCritical, sequence(...names)));
  }
  const { extendedKeyUsage = [] } = template;
  if (extendedKeyUsage.length > 0) {
    const usages = sequence(...extendedKeyUsage.map(oidElement));
    extensions.push(madeExtension(OID.extendedKeyUsage, false, usages));
  }
  const constraints = [
    ...subtrees(0, template.permitted ?? []),
    ...subtrees(1, template.excluded ?? []),
  ];
  if (constraints.length > 0) {
    extensions.push(madeExtension(OID.nameConstraints, true, sequence(...constraints)));
  }
  return extensions;
}

function subtrees(number: number, hosts: readonly string[]): readonly Uint8Array[] {
  if (hosts.length === 0) return [];
  const list = hosts.map((host) => sequence(encode(contextTag(6), text(host))));
  return [encode(contextGroupTag(number), ...list)];
}

function namedBits(mask: number): Uint8Array {
  let octet = 0;
  let last = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((mask & (1 << bit)) === 0) continue;
    octet |= 0x80 >> bit;
    last = bit;
  }
  return mask === 0
    ? Uint8Array.of(TAG.bitString, 1, 0)
    : Uint8Array.of(TAG.bitString, 2, 7 - last, octet);
}

const RSA_WITH_SHA1 = "1.2.840.113549.1.1.5";
const ECDSA_WITH_SHA1 = "1.2.840.10045.4.1";
const NULL = Uint8Array.of(TAG.null, 0);

function algorithmOf(
  key: KeyObject,
  hash: "sha1" | "sha256",
): { readonly algorithm: Uint8Array; readonly hash: string | null } {
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return { algorithm: sequence(oidElement(OID.ed25519)), hash: null };
    case "rsa": {
      const oid = hash === "sha1" ? RSA_WITH_SHA1 : OID.rsaWithSha256;
      return { algorithm: sequence(oidElement(oid), NULL), hash };
    }
    default: {
      const oid = hash === "sha1" ? ECDSA_WITH_SHA1 : OID.ecdsaWithSha256;
      return { algorithm: sequence(oidElement(oid)), hash };
    }
  }
}
