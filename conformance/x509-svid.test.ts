import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { KEY_USAGE, parseCertificate } from "@bonafide/pki";
import {
  makeCertificate,
  type MadeCertificate,
  type MadeTemplate,
  TestCa,
} from "@bonafide/pki/testing";
import {
  parseTrustDomain,
  type VerifiedX509Svid,
  verifyX509Svid,
  x509BundleOf,
  x509BundleSetOf,
} from "@bonafide/spiffe";

// What a validator refuses and accepts, and what our issuer writes. Names: X509-SVID §n.

const TD = parseTrustDomain("example.org");
const ID = "spiffe://example.org/billing";
const root = makeCertificate({
  isAuthority: true,
  commonName: "root",
  uris: ["spiffe://example.org"],
});

function verify(
  leaf: MadeTemplate,
  options: { readonly issuer?: MadeCertificate; readonly anchor?: MadeCertificate } = {},
): VerifiedX509Svid {
  const { issuer = root, anchor = root } = options;
  const bundles = x509BundleSetOf([x509BundleOf(TD, [parseCertificate(anchor.der)])]);
  return verifyX509Svid([makeCertificate(leaf, issuer).der], bundles, { now: Date.now() });
}

function refuses(leaf: MadeTemplate, code = "X509_SVID_INVALID"): void {
  assert.throws(
    () => verify(leaf),
    (error: unknown) => isBonafideError(error, code),
  );
}

test("X509-02 (X509-SVID §2): refuses no URI SAN, and more than one, valid or not", () => {
  refuses({});
  refuses({ dnsNames: ["example.org"] });
  refuses({ uris: [ID, "spiffe://example.org/other"] });
  refuses({ uris: [ID, ID] });
  refuses({ uris: [ID, "https://example.org"] });
});

test("X509-03 (X509-SVID §2): accepts other kinds of name beside the one URI", () => {
  assert.equal(verify({ uris: [ID], dnsNames: ["billing.example.org", "a"] }).id, ID);
});

test("X509-20 (X509-SVID §5.2): refuses a leaf with cA=true", () => {
  refuses({ uris: [ID], isAuthority: true });
  refuses({ uris: [ID], isAuthority: true, keyUsage: KEY_USAGE.digitalSignature });
});

test("X509-21 (X509-SVID §5.2): refuses a leaf that may sign certificates, or revocation lists", () => {
  for (const bit of [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign]) {
    refuses({ uris: [ID], keyUsage: KEY_USAGE.digitalSignature | bit });
  }
});

test("X509-22 (X509-SVID §5.2): refuses a URI of another scheme, and the scheme in upper case", () => {
  for (const uri of [
    "https://example.org/a",
    "urn:example",
    "SPIFFE://example.org/a",
    "//example.org/a",
  ]) {
    refuses({ uris: [uri] });
  }
});

test("X509-23 (X509-SVID §5.2): refuses a leaf without a path", () => {
  refuses({ uris: ["spiffe://example.org"] });
  refuses({ uris: ["spiffe://example.org/"] });
});

test("BND-02, SID-19 (Bundle §3): the bundle is chosen by the leaf's own trust domain", () => {
  const other = parseTrustDomain("other.org");
  const foreign = makeCertificate({ isAuthority: true, commonName: "foreign" });
  const bundles = x509BundleSetOf([
    x509BundleOf(TD, [parseCertificate(root.der)]),
    x509BundleOf(other, [parseCertificate(foreign.der)]),
  ]);
  const forged = makeCertificate({ uris: [ID] }, foreign).der;
  assert.throws(
    () => verifyX509Svid([forged], bundles, { now: Date.now() }),
    (error: unknown) => isBonafideError(error, "X509_SVID_UNTRUSTED"),
  );
  const own = makeCertificate({ uris: ["spiffe://other.org/a"] }, foreign).der;
  assert.equal(verifyX509Svid([own], bundles, { now: Date.now() }).trustDomain, other);
});

test("X509-31 (X509-SVID §6.2): without an authority every X509-SVID of the domain fails", () => {
  const leaf = makeCertificate({ uris: [ID] }, root).der;
  for (const bundles of [x509BundleSetOf([]), x509BundleSetOf([x509BundleOf(TD, [])])]) {
    assert.throws(
      () => verifyX509Svid([leaf], bundles, { now: Date.now() }),
      (error: unknown) => isBonafideError(error, "BUNDLE_NOT_FOUND"),
    );
  }
});

test("SID-21 (SPIFFE-ID §3.3): what is no X.509 certificate is no X509-SVID", () => {
  const bundles = x509BundleSetOf([x509BundleOf(TD, [parseCertificate(root.der)])]);
  const texts = ["", "ssh-ed25519-cert-v01@openssh.com AAAA", "{}", root.pem];
  for (const bytes of texts.map((text) => Buffer.from(text))) {
    assert.throws(
      () => verifyX509Svid([bytes], bundles, { now: Date.now() }),
      (error: unknown) => isBonafideError(error, "X509_SVID_INVALID"),
    );
  }
});

test("X509-16 (X509-SVID §4.3): an issued leaf may sign neither certificates nor revocation lists", () => {
  const { certificate } = new TestCa("spiffe://example.org").issue(ID);
  const usage = certificate.keyUsage ?? 0;
  assert.ok((usage & KEY_USAGE.digitalSignature) !== 0);
  assert.equal(usage & (KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign), 0);
});

test("X509-17, X509-18 (X509-SVID §4.4): an issued leaf is for servers and clients", () => {
  const { certificate } = new TestCa("spiffe://example.org").issue(ID);
  assert.deepEqual([...(certificate.extendedKeyUsage ?? [])].toSorted(), [
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.5.5.7.3.2",
  ]);
});

test("SID-20 (SPIFFE-ID §3.2): ID and public key stand inside the signed part", () => {
  const { certificate } = new TestCa("spiffe://example.org").issue(ID);
  const signed = Buffer.from(certificate.tbs);
  assert.ok(signed.includes(Buffer.from(ID)));
  assert.ok(signed.includes(Buffer.from(certificate.spki)));
});
