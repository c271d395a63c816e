import { encode } from "../der/der-writer.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import { KEY_USAGE } from "../x509/certificate.ts";
import { OID } from "../x509/oids.ts";
import { authority, type ChainCase, leaf } from "./chain-case.ts";
import {
  madeExtension,
  makeCertificate,
  type MadeCertificate,
  makeKey,
} from "./make-certificate.ts";

const DAY_MS = 86_400_000;
const { digitalSignature, keyCertSign, cRLSign } = KEY_USAGE;
const CRITICAL = madeExtension("1.2.3.4", true, Uint8Array.of(TAG.null, 0));
const LEAF_RULE = "a rule for identities, not for certificates at large";

function alteredSignature(made: MadeCertificate): MadeCertificate {
  const der = made.der.slice();
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return { ...made, der };
}

/** Leaves that a validator must refuse. */
export function leafCases(): readonly ChainCase[] {
  const root = authority("R");
  const other = authority("RB", { uris: ["spiffe://b"] });
  const twin = authority("R");
  const now = Date.now();
  const past = { notBefore: now - 2 * DAY_MS, notAfter: now - DAY_MS };
  const future = { notBefore: now + DAY_MS, notAfter: now + 2 * DAY_MS };
  const sound = makeKey();
  const besideItsCurve = { ...sound, spki: sound.spki.with(90, (sound.spki[90] ?? 0) ^ 1) };
  const weakKey = makeKey("rsa-1024");
  const weakRoot = authority("W", { key: weakKey });
  const sha1 = leaf(root, { signatureHash: "sha1" });
  const forged = leaf({ ...twin, spki: root.spki });
  const none: ChainCase = {
    name: "R1: no certificate",
    chain: [],
    anchors: [root],
    expect: "PATH_EMPTY",
  };
  const many = Array.from({ length: 11 }, () => root);
  const cases = [
    {
      name: "R7: leaf with CA true",
      chain: [leaf(root, { isAuthority: true, keyUsage: digitalSignature })],
      expect: "PATH_LEAF_IS_AUTHORITY",
      opensslDiffers: LEAF_RULE,
    },
    {
      name: "R8: leaf with keyCertSign",
      chain: [leaf(root, { keyUsage: digitalSignature | keyCertSign })],
      expect: "PATH_LEAF_KEY_USAGE",
    },
    {
      name: "R9: leaf with cRLSign",
      chain: [leaf(root, { keyUsage: digitalSignature | cRLSign })],
      expect: "PATH_LEAF_KEY_USAGE",
      opensslDiffers: LEAF_RULE,
    },
    {
      name: "R: a key beside its curve",
      chain: [leaf(root, { key: besideItsCurve })],
      expect: "PATH_SIGNATURE_WEAK",
    },
    { name: "R11: expired leaf", chain: [leaf(root, past)], expect: "PATH_EXPIRED" },
    { name: "R12: leaf not yet valid", chain: [leaf(root, future)], expect: "PATH_NOT_YET_VALID" },
    {
      name: "R15: altered signature",
      chain: [alteredSignature(leaf(root))],
      expect: "PATH_SIGNATURE_INVALID",
    },
    {
      name: "R16: another key under the root's name and key identifier",
      chain: [forged],
      expect: "PATH_SIGNATURE_INVALID",
    },
    {
      name: "R16: another key under the root's name",
      chain: [leaf(twin)],
      expect: "PATH_UNKNOWN_AUTHORITY",
    },
    {
      name: "R17: chain to a foreign trust domain's root",
      chain: [leaf(other)],
      expect: "PATH_UNKNOWN_AUTHORITY",
    },
    {
      name: "R22: unknown critical extension in the leaf",
      chain: [leaf(root, { extensions: [CRITICAL] })],
      expect: "PATH_CRITICAL_EXTENSION",
    },
    {
      name: "R25: the trust anchor presented as peer",
      chain: [root],
      expect: "PATH_LEAF_IS_AUTHORITY",
      opensslDiffers: LEAF_RULE,
    },
    {
      name: "R26: no authority for the trust domain",
      chain: [leaf(root)],
      anchors: [],
      expect: "PATH_NO_ANCHOR",
    },
    {
      name: "R27: self-signed leaf",
      chain: [makeCertificate({ uris: ["spiffe://a/x"] })],
      expect: "PATH_UNKNOWN_AUTHORITY",
    },
    {
      name: "R28: SHA-1 signature",
      chain: [sha1],
      expect: "PATH_SIGNATURE_WEAK",
      opensslDiffers: "its default security level lets SHA-1 pass",
    },
    {
      name: "R28: RSA 1024 leaf",
      chain: [leaf(root, { key: weakKey })],
      expect: "PATH_SIGNATURE_WEAK",
      opensslDiffers: "its default security level lets RSA 1024 pass",
    },
    {
      name: "R28: RSA 1024 authority",
      chain: [leaf(weakRoot)],
      anchors: [weakRoot],
      expect: "PATH_SIGNATURE_WEAK",
      opensslDiffers: "its default security level lets RSA 1024 pass",
    },
    {
      name: "R: more certificates than a peer may present",
      chain: [leaf(root), ...many],
      expect: "PATH_TOO_LONG",
      opensslDiffers: "a bound of ours",
    },
  ] as const;
  return [none, ...cases.map((entry) => ({ anchors: [root], ...entry }))];
}

/** Issuers that a validator must refuse. */
export function issuerCases(): readonly ChainCase[] {
  const root = authority("R");
  const now = Date.now();
  const past = { notBefore: now - 2 * DAY_MS, notAfter: now - DAY_MS };
  const expired = authority("IX", past, root);
  const expiredRoot = authority("RX", past);
  const good = authority("I", {}, root);
  const noAuthority = authority("NA", { isAuthority: false, keyUsage: keyCertSign }, root);
  const noSigning = authority("NS", { keyUsage: cRLSign }, root);
  const limitedRoot = authority("L", { pathLength: 0 });
  const belowLimited = authority("BL", {}, limitedRoot);
  const limited = authority("I0", { pathLength: 0 }, root);
  const belowThat = authority("I00", {}, limited);
  const critical = authority("IC", { extensions: [CRITICAL] }, root);
  const otherKey = leaf(root, { key: makeKey("ed25519") });
  const wrongKind = leaf({ ...root, privateKey: otherKey.privateKey });
  const deep = [root];
  for (let i = 0; i < 8; i++) deep.unshift(authority(`D${i}`, {}, deep[0]));
  const bottom = deep[0] ?? root;
  const cases = [
    { name: "R13: expired intermediate", chain: [leaf(expired), expired], expect: "PATH_EXPIRED" },
    {
      name: "R14: expired root",
      chain: [leaf(expiredRoot)],
      anchors: [expiredRoot],
      expect: "PATH_EXPIRED",
    },
    { name: "R18: missing intermediate", chain: [leaf(good)], expect: "PATH_UNKNOWN_AUTHORITY" },
    {
      name: "R19: intermediate with CA false",
      chain: [leaf(noAuthority), noAuthority],
      expect: "PATH_ISSUER_NOT_AUTHORITY",
    },
    {
      name: "R20: intermediate without keyCertSign",
      chain: [leaf(noSigning), noSigning],
      expect: "PATH_ISSUER_KEY_USAGE",
    },
    {
      name: "R21: path length of the root exceeded",
      chain: [leaf(belowLimited), belowLimited],
      anchors: [limitedRoot],
      expect: "PATH_LENGTH_EXCEEDED",
    },
    {
      name: "R21: path length of an intermediate exceeded",
      chain: [leaf(belowThat), belowThat, limited],
      expect: "PATH_LENGTH_EXCEEDED",
    },
    {
      name: "R22: unknown critical extension in an intermediate",
      chain: [leaf(critical), critical],
      expect: "PATH_CRITICAL_EXTENSION",
    },
    {
      name: "R: signature of another kind than the issuer's key",
      chain: [wrongKind],
      expect: "PATH_SIGNATURE_INVALID",
    },
    {
      name: "R: path deeper than the limit",
      chain: [leaf(bottom), ...deep.slice(0, -1)],
      expect: "PATH_UNKNOWN_AUTHORITY",
      opensslDiffers: "a bound of ours",
    },
  ] as const;
  return cases.map((entry) => ({ anchors: [root], ...entry }));
}

/** Name constraints. */
export function constraintCases(): readonly ChainCase[] {
  const root = authority("R");
  const permitted = authority("P", { permitted: ["a"] }, root);
  const other = authority("PO", { permitted: ["b"] }, root);
  const excluded = authority("X", { excluded: ["a"] }, root);
  const suffix = authority("PS", { permitted: [".example.org"], uris: [] }, root);
  const upper = authority("PU", { permitted: ["A"] }, root);
  const uri = authority("PW", { permitted: ["spiffe://a"] }, root);
  const dnsOnly = encode(
    TAG.sequence,
    encode(contextGroupTag(0), encode(TAG.sequence, encode(contextTag(2), Uint8Array.of(0x78)))),
  );
  const dns = authority(
    "PD",
    { extensions: [madeExtension(OID.nameConstraints, true, dnsOnly)] },
    root,
  );
  const nested = authority("PN", { uris: ["spiffe://b"] }, permitted);
  const inSuffix = { uris: ["spiffe://td.example.org/x"] };
  const asSuffix = { uris: ["spiffe://example.org/x"] };
  const noHost = { uris: ["urn:x:y"] };
  const cases = [
    { name: "A: permitted host", chain: [leaf(permitted), permitted], expect: "ok" },
    { name: "A: permitted host in upper case", chain: [leaf(upper), upper], expect: "ok" },
    {
      name: "A: host below a permitted suffix",
      chain: [leaf(suffix, inSuffix), suffix],
      trustDomain: "td.example.org",
      expect: "ok",
    },
    {
      name: "R23: another host permitted",
      chain: [leaf(other), other],
      expect: "PATH_NAME_CONSTRAINT",
    },
    {
      name: "R24: excluded host",
      chain: [leaf(excluded), excluded],
      expect: "PATH_NAME_CONSTRAINT",
    },
    {
      name: "R: host outside a permitted suffix",
      chain: [leaf(suffix), suffix],
      expect: "PATH_NAME_CONSTRAINT",
    },
    {
      name: "R: the suffix itself is not below it",
      chain: [leaf(suffix, asSuffix), suffix],
      trustDomain: "example.org",
      expect: "PATH_NAME_CONSTRAINT",
    },
    {
      name: "R: a name without a host under a constraint",
      chain: [leaf(permitted, noHost), permitted],
      expect: "PATH_NAME_CONSTRAINT",
    },
    {
      name: "R: an intermediate's own name outside",
      chain: [leaf(nested), nested, permitted],
      expect: "PATH_NAME_CONSTRAINT",
    },
    {
      name: "R: constraint on DNS names",
      chain: [leaf(dns), dns],
      expect: "PATH_CRITICAL_EXTENSION",
      opensslDiffers: "it can judge DNS names",
    },
    {
      name: "R: constraint that is a URI, not a host",
      chain: [leaf(uri), uri],
      expect: "PATH_CRITICAL_EXTENSION",
    },
  ] as const;
  return cases.map((entry) => ({ anchors: [root], ...entry }));
}

/** Certificates that do not parse. */
export function malformedCases(): readonly ChainCase[] {
  const root = authority("R");
  const end = leaf(root);
  const nul = encode(contextTag(6), new Uint8Array(Buffer.from("spiffe://a/x\0.b")));
  const twice = madeExtension(OID.keyUsage, false, Uint8Array.of(TAG.bitString, 2, 7, 0x80));
  const innerAlgorithm = encode(TAG.sequence, Uint8Array.of(TAG.oid, 3, 0x2b, 0x65, 0x70));
  const trailing = new Uint8Array([...end.der, 0]);
  const loose = "it reads more than DER";
  const cases = [
    { name: "R2: trailing byte", chain: [{ ...end, der: trailing }], opensslDiffers: loose },
    { name: "R2: cut short", chain: [{ ...end, der: end.der.subarray(0, -1) }] },
    {
      name: "R29: NUL in a URI",
      chain: [leaf(root, { uris: [], otherNames: [nul] })],
      opensslDiffers: "it does not look at URIs",
    },
    {
      name: "R: version 1",
      chain: [leaf(root, { version: 0 })],
    },
    {
      name: "R: negative serial",
      chain: [leaf(root, { serial: Uint8Array.of(0x80) })],
      opensslDiffers: loose,
    },
    {
      name: "R: serial not minimal",
      chain: [leaf(root, { serial: Uint8Array.of(0, 1) })],
    },
    {
      name: "R: an extension twice",
      chain: [leaf(root, { extensions: [twice] })],
    },
    { name: "R: two signature algorithms", chain: [leaf(root, { innerAlgorithm })] },
  ] as const;
  const expect = "CERTIFICATE_MALFORMED";
  return cases.map((entry) => ({ anchors: [root], expect, ...entry }));
}
