import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import {
  type AuthorityTemplate,
  type Certificate,
  CertificateIssuer,
  type CertificateTemplate,
  encodeName,
  generateKey,
  issueRoot,
  KEY_USAGE,
  keyIdOf,
  keySigner,
  parseCertificate,
  prepareRoot,
  randomSerial,
  type Signer,
  verifyPath,
} from "../index.ts";
import { makeKey } from "../testing/index.ts";
import { openssl, peculiar } from "../testing/oracles.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
const OWN_OID = "2.25.51918810025356029222889791512307983077";
const CA_NAME = encodeName([
  { type: "C", value: "US" },
  { type: "O", value: "SPIFFE" },
  { type: "serialNumber", value: "123456789" },
]);
const LEAF_NAME = encodeName([
  { type: "C", value: "US" },
  { type: "O", value: "SPIRE" },
  { type: "CN", value: "web.example.org" },
]);
const validity = { notBefore: NOW - 10_000, notAfter: NOW + HOUR_MS };
const rootTemplate = { uris: ["spiffe://example.org"], subject: CA_NAME, ...validity };
const invalid = (error: unknown): boolean => isBonafideError(error, "TEMPLATE_INVALID");
const caught = (error: unknown): boolean => isBonafideError(error, "SELF_CHECK_FAILED");

interface Authority {
  readonly certificate: Certificate;
  readonly signer: Signer;
  readonly issuer: CertificateIssuer;
}

function makeRoot(kind: Parameters<typeof makeKey>[0] = "ec-p256"): Authority {
  const signer = keySigner(makeKey(kind).privateKey);
  const certificate = parseCertificate(issueRoot(signer, rootTemplate).der);
  return { certificate, signer, issuer: new CertificateIssuer(certificate, signer) };
}

const root = makeRoot();
const { spki } = generateKey("ec-p256");
const plain: CertificateTemplate = { spki, uris: ["spiffe://example.org/ns/x"], ...validity };

/** What every kind must be to node:crypto, @peculiar/x509 and openssl alike. */
async function readBack(der: Uint8Array, issuer: Certificate): Promise<string> {
  const ours = parseCertificate(der);
  const node = new X509Certificate(Buffer.from(der));
  const nodeIssuer = new X509Certificate(Buffer.from(issuer.der));
  assert.ok(node.verify(nodeIssuer.publicKey));
  assert.ok(node.checkIssued(nodeIssuer));
  assert.equal(node.ca, ours.isAuthority);
  assert.equal(BigInt(`0x${node.serialNumber}`), ours.serial);
  assert.equal(node.validFromDate.getTime(), ours.notBefore);
  assert.equal(node.validToDate.getTime(), ours.notAfter);
  assert.deepEqual(node.keyUsage, ours.extendedKeyUsage);

  const theirs = new peculiar.X509Certificate(der);
  const theirIssuer = new peculiar.X509Certificate(issuer.der);
  assert.ok(await theirs.verify({ publicKey: theirIssuer, date: new Date(NOW) }));
  const constraints = theirs.getExtension("2.5.29.19");
  assert.equal(constraints?.ca, ours.isAuthority);
  assert.equal(constraints?.critical, true);
  assert.equal(constraints?.pathLength, ours.pathLength);
  const usage = theirs.getExtension("2.5.29.15");
  assert.equal(usage?.critical, true);
  assert.equal(usage?.usages, ours.keyUsage);
  const keyId = theirs.getExtension("2.5.29.14")?.keyId;
  assert.equal(keyId, Buffer.from(ours.subjectKeyId ?? []).toString("hex"));
  const issuerId = theirs.getExtension("2.5.29.35")?.keyId;
  assert.equal(issuerId, Buffer.from(issuer.subjectKeyId ?? []).toString("hex"));
  const names = theirs.getExtension("2.5.29.17")?.names?.toJSON() ?? [];
  assert.deepEqual(
    names.map(({ value }) => value),
    [...ours.uris, ...ours.dnsNames],
  );
  return openssl(["x509", "-inform", "DER", "-noout", "-text"], der);
}

suite("certificates read back by node:crypto, @peculiar/x509 and openssl", () => {
  test("X509-01, X509-10, X509-13, X509-15, X509-16, X509-17, X509-18 (X509-SVID §2, §4): a leaf", async () => {
    const { der } = root.issuer.issueLeaf({ ...plain, subject: LEAF_NAME });
    const text = await readBack(der, root.certificate);
    assert.match(text, /Subject: C = US, O = SPIRE, CN = web\.example\.org/);
    assert.match(text, /Issuer: C = US, O = SPIFFE, serialNumber = 123456789/);
    assert.match(
      text,
      /Key Usage: critical\s+Digital Signature, Key Encipherment, Key Agreement\n/,
    );
    assert.match(
      text,
      /Extended Key Usage: ?\n\s+TLS Web Server Auth\w+, TLS Web Client Auth\w+\n/,
    );
    assert.match(text, /Basic Constraints: critical\s+CA:FALSE\n/);
    assert.match(text, /Alternative Name: ?\n\s+URI:spiffe:\/\/example\.org\/ns\/x\n/);
    assert.match(text, /Version: 3 /);
    assert.deepEqual(parseCertificate(der).uris, plain.uris);
  });

  test("X509-05 (X509-SVID §3.1): a leaf without a subject has critical names", async () => {
    const text = await readBack(root.issuer.issueLeaf(plain).der, root.certificate);
    assert.match(text, /Alternative Name: critical/);
  });

  test("a leaf with DNS names and an extension of our own", async () => {
    const { der } = root.issuer.issueLeaf({
      ...plain,
      subject: LEAF_NAME,
      dnsNames: ["web.example.org", "*.web.example.org"],
      extensions: [
        { oid: OWN_OID, value: Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 7) },
        { oid: "1.2.3.4", value: Uint8Array.of(5, 0) },
      ],
    });
    const text = await readBack(der, root.certificate);
    assert.match(text, /DNS:web\.example\.org, DNS:\*\.web\.example\.org/);
    assert.ok(text.includes(`${OWN_OID}: \n`));
    const extension = parseCertificate(der).extensions.get(OWN_OID);
    assert.equal(extension?.critical, false);
    assert.deepEqual(extension.value, Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 7));
  });

  test("X509-06, X509-07, X509-10, X509-13, X509-14 (X509-SVID §3.2, §4): a self-signed root", async () => {
    const text = await readBack(root.certificate.der, root.certificate);
    assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE\n/);
    assert.match(text, /URI:spiffe:\/\/example\.org\n/);
    assert.deepEqual(root.certificate.subjectKeyId, keyIdOf(root.signer.spki));
  });

  test("X509-11, X509-12 (X509-SVID §4): an intermediate with a path length and name constraints", async () => {
    const signer = keySigner(generateKey("ec-p256").privateKey);
    const { der } = root.issuer.issueAuthority({
      spki: signer.spki,
      uris: ["spiffe://example.org"],
      subject: encodeName([{ type: "OU", value: "DOWNSTREAM-1" }]),
      pathLength: 0,
      uriConstraints: { permitted: ["example.org"], excluded: [".evil.example.org"] },
      ...validity,
    });
    const text = await readBack(der, root.certificate);
    assert.match(text, /CA:TRUE, pathlen:0\n/);
    assert.match(text, /Name Constraints: critical\s+Permitted:\s+URI:example\.org\s+Excluded:/);
    const certificate = parseCertificate(der);
    const end = new CertificateIssuer(certificate, signer).issueLeaf(plain);
    const chain = [parseCertificate(end.der), certificate];
    const verified = verifyPath(chain, [root.certificate], { now: NOW, uriName: "example.org" });
    assert.deepEqual(verified.path, [...chain, root.certificate]);
  });

  for (const kind of ["ec-p384", "ec-p521", "ed25519", "rsa-2048"] as const) {
    test(`a leaf under a ${kind} authority`, async () => {
      const authority = makeRoot(kind);
      await readBack(authority.certificate.der, authority.certificate);
      const { der } = authority.issuer.issueLeaf(plain);
      await readBack(der, authority.certificate);
      verifyPath([parseCertificate(der)], [authority.certificate], { now: NOW });
    });
  }

  for (const kind of ["ec-p384", "ed25519", "rsa-2048"] as const) {
    test(`a leaf with a ${kind} key`, async () => {
      const key = makeKey(kind);
      const { der } = root.issuer.issueLeaf({ ...plain, spki: key.spki });
      await readBack(der, root.certificate);
      assert.deepEqual(parseCertificate(der).subjectKeyId, keyIdOf(key.spki));
    });
  }

  test("validity beyond 2049 is written as GeneralizedTime", async () => {
    const notAfter = Date.UTC(2051, 0, 1);
    const text = await readBack(
      root.issuer.issueLeaf({ ...plain, notAfter }).der,
      root.certificate,
    );
    assert.match(text, /Not After : Jan {2}1 00:00:00 2051 GMT/);
  });
});

suite("what is written is what was asked for", () => {
  test("any template is read back by our own parser, field by field", () => {
    const uri = fc.webUrl({ withFragments: true, withQueryParameters: true });
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 300,
    });
    const template = fc.record({
      uris: fc.array(uri, { minLength: 1, maxLength: 4 }),
      dnsNames: fc.array(visible, { maxLength: 4 }),
      serial: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
      begin: fc.integer({ min: -600_000_000, max: 4_000_000_000 }),
      seconds: fc.integer({ min: 1, max: 400_000_000 }),
      common: fc.option(fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" })),
    });
    fc.assert(
      fc.property(template, ({ uris, dnsNames, serial, begin, seconds, common }) => {
        const subject = encodeName(common === null ? [] : [{ type: "CN", value: common }]);
        const notBefore = begin * 1000;
        const notAfter = notBefore + seconds * 1000;
        const whole = { spki, uris, dnsNames, serial, subject, notBefore, notAfter };
        const issued = root.issuer.issueLeaf(whole);
        const read = parseCertificate(issued.der);
        assert.deepEqual(
          [read.uris, read.dnsNames, read.serial, read.subject, read.spki, read.isAuthority],
          [uris, dnsNames, serial, subject, spki, false],
        );
        assert.deepEqual([read.notBefore, read.notAfter], [notBefore, notAfter]);
        assert.equal(issued.serialText, serial.toString());
        assert.equal(read.serialText, issued.serialText);
        assert.deepEqual([issued.notBefore, issued.notAfter], [notBefore, notAfter]);
        assert.equal(read.extensions.get("2.5.29.17")?.critical, common === null);
      }),
      { numRuns: 300 },
    );
  });

  test("times are cut to the second, never rounded up", () => {
    const issued = root.issuer.issueLeaf({ ...plain, notBefore: NOW + 999, notAfter: NOW + 5999 });
    assert.deepEqual([issued.notBefore, issued.notAfter], [NOW, NOW + 5000]);
  });

  test("random serial numbers are positive, of at most 127 bits, minimal, and differ", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const { der, serialText } = root.issuer.issueLeaf(plain);
      const { serial } = parseCertificate(der);
      assert.equal(serial.toString(), serialText);
      assert.ok(serial > 0n && serial < 2n ** 127n);
      seen.add(serialText);
    }
    assert.equal(seen.size, 2000);
    assert.ok(randomSerial() > 0n);
  });

  for (const serial of [1n, 127n, 128n, 255n, 256n, 2n ** 127n, 2n ** 128n - 1n]) {
    test(`serial number ${serial} is written and read`, () => {
      const { der } = root.issuer.issueLeaf({ ...plain, serial });
      assert.equal(parseCertificate(der).serial, serial);
      assert.equal(BigInt(`0x${new X509Certificate(Buffer.from(der)).serialNumber}`), serial);
    });
  }

  test("a signature made elsewhere gives the same certificate as one made here", () => {
    const serial = 77n;
    const unsigned = root.issuer.prepareLeaf({ ...plain, serial });
    root.issuer.issueLeaf(plain);
    const signature = root.signer.sign(unsigned.tbs);
    const certificate = parseCertificate(unsigned.finish(signature).der);
    assert.deepEqual(certificate.tbs, unsigned.tbs);
    verifyPath([certificate], [root.certificate], { now: NOW });
    const below = root.issuer.prepareAuthority({ ...plain, subject: LEAF_NAME });
    assert.ok(parseCertificate(below.finish(root.signer.sign(below.tbs)).der).isAuthority);
    const selfSigned = prepareRoot(root.signer, rootTemplate);
    const made = parseCertificate(selfSigned.finish(root.signer.sign(selfSigned.tbs)).der);
    assert.equal(made.keyUsage, KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign);
  });
});

suite("what is not issued", () => {
  const refused: Readonly<Record<string, Partial<CertificateTemplate>>> = {
    "an empty URI": { uris: [""] },
    "a URI with a space": { uris: ["spiffe://a/ x"] },
    "a URI without a scheme": { uris: ["//a/x"] },
    "a URI with a bracket in its path": { uris: ["spiffe://a/[x]"] },
    "a URI with half an escape": { uris: ["spiffe://a/%2"] },
    "a URI with a port that is none": { uris: ["spiffe://a:b/x"] },
    "a URI with a NUL": { uris: ["spiffe://a/x\0"] },
    "a URI that is not ASCII": { uris: ["spiffe://a/ä"] },
    "a URI that is too long": { uris: [`spiffe://a/${"x".repeat(2048)}`] },
    "too many names": { uris: Array.from({ length: 300 }, (_, index) => `a:${index}`) },
    "a DNS name with a newline": { dnsNames: ["a\nb"] },
    "neither subject nor name": { uris: [] },
    "an empty validity": { notAfter: plain.notBefore },
    "a validity that is cut to nothing": { notBefore: NOW, notAfter: NOW + 999 },
    "an end before the beginning": { notAfter: plain.notBefore - HOUR_MS },
    "no time at all": { notBefore: Number.NaN },
    "a serial number of 0": { serial: 0n },
    "a negative serial number": { serial: -1n },
    "a serial number of 129 bits": { serial: 2n ** 128n },
    "a subject that is not a Name": { subject: Uint8Array.of(0x30, 1) },
    "a subject with a tail": { subject: new Uint8Array([...LEAF_NAME, 0]) },
    "an extension that the issuer writes": {
      extensions: [{ oid: "2.5.29.19", value: Uint8Array.of(0x30, 3, 1, 1, 0xff) }],
    },
    "an extension twice": {
      extensions: [
        { oid: "1.2.3", value: Uint8Array.of(5, 0) },
        { oid: "1.2.3", value: Uint8Array.of(5, 0) },
      ],
    },
    "an extension without an OID": { extensions: [{ oid: "x", value: Uint8Array.of(5, 0) }] },
  };
  for (const [name, template] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      assert.throws(() => root.issuer.issueLeaf({ ...plain, ...template }), invalid);
    });
  }

  test("refuses a key that is not accepted", () => {
    for (const key of [makeKey("rsa-1024").spki, new Uint8Array(91), new Uint8Array(0)]) {
      assert.throws(
        () => root.issuer.issueLeaf({ ...plain, spki: key }),
        (error) => isBonafideError(error, "PUBLIC_KEY_UNSUPPORTED"),
      );
    }
  });

  const authorities: Readonly<Record<string, Partial<AuthorityTemplate>>> = {
    "a negative path length": { pathLength: -1 },
    "a path length of 128": { pathLength: 128 },
    "half a path length": { pathLength: 0.5 },
    "empty constraints": { uriConstraints: {} },
    "a constraint with a space": { uriConstraints: { permitted: ["a b"] } },
  };
  for (const [name, template] of Object.entries(authorities)) {
    test(`refuses an authority with ${name}`, () => {
      const whole = { ...plain, subject: LEAF_NAME, ...template };
      assert.throws(() => root.issuer.issueAuthority(whole), invalid);
    });
  }

  test("refuses to issue for a certificate that is no authority, or by another key", () => {
    const leaf = parseCertificate(root.issuer.issueLeaf({ ...plain, subject: LEAF_NAME }).der);
    const other = keySigner(generateKey("ec-p256").privateKey);
    assert.throws(() => new CertificateIssuer(leaf, other), invalid);
    assert.throws(() => new CertificateIssuer(root.certificate, other), invalid);
    const { subject: _, ...nameless } = rootTemplate;
    assert.throws(() => issueRoot(other, nameless), invalid);
  });

  test("a signature that does not verify is caught where the policy says so, and only there", () => {
    const faulty: Signer = {
      ...root.signer,
      sign: (message) => root.signer.sign(message.subarray(1)),
    };
    const checked = new CertificateIssuer(root.certificate, faulty, { selfCheck: "always" });
    assert.throws(() => checked.issueLeaf(plain), caught);
    assert.throws(() => checked.prepareLeaf(plain).finish(new Uint8Array(70)), caught);
    assert.throws(() => issueRoot(faulty, rootTemplate, { selfCheck: "always" }), caught);
    const unchecked = new CertificateIssuer(root.certificate, faulty);
    assert.ok(unchecked.issueLeaf(plain).der.length > 0);
    const sound = new CertificateIssuer(root.certificate, root.signer, { selfCheck: "always" });
    assert.ok(sound.issueLeaf(plain).der.length > 0);
  });

  test("a refused template leaves the issuer as it was", () => {
    assert.throws(() => root.issuer.issueLeaf({ ...plain, uris: ["ok:1", ""] }), invalid);
    const { der } = root.issuer.issueLeaf(plain);
    assert.deepEqual(parseCertificate(der).uris, plain.uris);
  });
});
