import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { KEY_USAGE, parseCertificate } from "@bonafide/pki";
import {
  type ChainCase,
  chainCases,
  type MadeCertificate,
  type MadeTemplate,
  makeCertificate,
} from "@bonafide/pki/testing";
import { type X509BundleSet, x509BundleSetOf } from "../bundle/x509-bundle-set.ts";
import { x509BundleOf } from "../bundle/x509-bundle.ts";
import { parseTrustDomain } from "../id/parse-trust-domain.ts";
import { TestTrustDomain } from "../testing/test-trust-domain.ts";
import { createX509SvidCache, type VerifiedX509Svid, verifyX509Svid } from "./verify-x509-svid.ts";

const root = makeCertificate({ commonName: "root", isAuthority: true, uris: ["spiffe://a"] });
const foreign = makeCertificate({ commonName: "foreign", isAuthority: true, uris: ["spiffe://b"] });
const bundles = setOf({ a: [root], b: [foreign] });

function setOf(domains: Readonly<Record<string, readonly MadeCertificate[]>>): X509BundleSet {
  return x509BundleSetOf(
    Object.entries(domains).map(([name, made]) =>
      x509BundleOf(
        parseTrustDomain(name),
        made.map(({ der }) => parseCertificate(der)),
      ),
    ),
  );
}

function verify(chain: readonly MadeCertificate[], set: X509BundleSet = bundles): VerifiedX509Svid {
  return verifyX509Svid(
    chain.map(({ der }) => der),
    set,
    { now: Date.now() },
  );
}

function leaf(template: MadeTemplate = {}, issuer = root): MadeCertificate {
  return makeCertificate({ commonName: "leaf", uris: ["spiffe://a/x"], ...template }, issuer);
}

test("X509-01 (X509-SVID §2): the one URI name is the SPIFFE ID", () => {
  const verified = verify([leaf()]);
  assert.equal(verified.id, "spiffe://a/x");
  assert.equal(verified.trustDomain, "a");
  assert.deepEqual(
    verified.path.map((certificate) => Buffer.from(certificate.der).length > 0),
    [true, true],
  );
});

test("X509-02 (X509-SVID §2, §5.2): refuses a leaf with several URI names or none", () => {
  for (const uris of [
    [],
    ["spiffe://a/x", "spiffe://a/y"],
    ["spiffe://a/x", "spiffe://a/x"],
    ["spiffe://a/x", "https://a/x"],
  ]) {
    assert.throws(() => verify([leaf({ uris })]), invalid("uri-names"));
  }
  assert.throws(() => verify([leaf({ uris: [], dnsNames: ["a"] })]), invalid("uri-names"));
});

test("X509-03 (X509-SVID §2): other names beside the ID are accepted", () => {
  const email = Uint8Array.of(0x81, 3, 0x61, 0x40, 0x62);
  const ip = Uint8Array.of(0x87, 4, 127, 0, 0, 1);
  const names = { dnsNames: ["a.example"], otherNames: [email, ip] };
  assert.equal(verify([leaf(names)]).id, "spiffe://a/x");
});

test("X509-05 (X509-SVID §3.1): accepts a leaf with an empty subject, and one with a subject", () => {
  assert.equal(verify([leaf({ commonName: "" })]).id, "spiffe://a/x");
  assert.equal(verify([leaf({ commonName: "c" })]).id, "spiffe://a/x");
});

test("X509-20 (X509-SVID §5.2): refuses a leaf with cA=true", () => {
  assert.throws(() => verify([leaf({ isAuthority: true })]), invalid("leaf-is-authority"));
});

test("X509-21 (X509-SVID §5.2): refuses a leaf with keyCertSign, and one with cRLSign", () => {
  for (const bit of [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign]) {
    const keyUsage = KEY_USAGE.digitalSignature | bit;
    assert.throws(() => verify([leaf({ keyUsage })]), invalid("leaf-key-usage"));
  }
});

test("X509-22 (X509-SVID §5.2): refuses a name that is no SPIFFE ID", () => {
  for (const [uri, reason] of [
    ["https://a/x", "scheme"],
    ["urn:x", "scheme"],
    ["SPIFFE://a/x", "scheme"],
    ["spiffe://A/x", "trust-domain-character"],
    ["spiffe://a:80/x", "trust-domain-character"],
    ["spiffe://u@a/x", "trust-domain-character"],
    ["spiffe:///x", "trust-domain-empty"],
    ["spiffe://a/x?q", "path-character"],
    ["spiffe://a/x#f", "path-character"],
    ["spiffe://a/%78", "path-character"],
    ["spiffe://a/../x", "dot-segment"],
    ["spiffe://a//x", "empty-segment"],
    ["spiffe://a/x/", "trailing-slash"],
  ] as const) {
    assert.throws(() => verify([leaf({ uris: [uri] })]), invalid(`spiffe-id-${reason}`), uri);
  }
});

test("X509-23 (X509-SVID §5.2): refuses a leaf whose ID has no path", () => {
  assert.throws(() => verify([leaf({ uris: ["spiffe://a"] })]), invalid("root-path"));
  assert.throws(
    () => verify([leaf({ uris: ["spiffe://a/"] })]),
    invalid("spiffe-id-trailing-slash"),
  );
});

test("X509-24, BND-02, WLA-09, SID-19 (X509-SVID §5.1): only authorities of the leaf's own trust domain count", () => {
  const forged = leaf({}, foreign);
  assert.throws(() => verify([forged]), untrusted("PATH_UNKNOWN_AUTHORITY"));
  assert.throws(() => verify([forged, foreign]), untrusted("PATH_UNKNOWN_AUTHORITY"));
  assert.equal(verify([leaf({ uris: ["spiffe://b/x"] }, foreign)]).trustDomain, "b");
  // A foreign authority as intermediate, cross-signed by nobody.
  const below = makeCertificate({ commonName: "below", isAuthority: true }, foreign);
  assert.throws(() => verify([leaf({}, below), below, foreign]), isBonafideError);
});

test("BND-14, X509-31 (Bundle §4.1.3): without a bundle, or with an empty one, nothing is trusted", () => {
  for (const set of [setOf({}), setOf({ b: [foreign] }), setOf({ a: [], b: [foreign] })]) {
    assert.throws(
      () => verify([leaf()], set),
      (error) => isBonafideError(error, "BUNDLE_NOT_FOUND"),
    );
  }
});

test("SID-21 (SPIFFE-ID §3.3): what is no X.509 certificate is no X509-SVID", () => {
  for (const bytes of [
    Buffer.from("ssh-ed25519-cert-v01@openssh.com AAAA"),
    Buffer.from(root.pem),
    Buffer.from("eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
    Buffer.alloc(0),
  ]) {
    assert.throws(
      () => verifyX509Svid([new Uint8Array(bytes)], bundles, { now: Date.now() }),
      invalid("malformed"),
    );
  }
  assert.throws(() => verifyX509Svid([], bundles, { now: 0 }), invalid("empty"));
  const { der } = leaf();
  const many = Array.from({ length: 11 }, () => der);
  assert.throws(() => verifyX509Svid(many, bundles, { now: 0 }), invalid("too-long"));
});

const cases: readonly ChainCase[] = chainCases();
assert.ok(cases.length > 60);
for (const { name, chain, anchors, expect, trustDomain = "a" } of cases) {
  const word = expect === "ok" ? "accepts" : "refuses";
  test(`X509-19 (X509-SVID §5.1): ${word} ${name}`, () => {
    const set = setOf({ [trustDomain]: anchors, other: [foreign] });
    if (expect === "ok") assert.equal(verify(chain, set).trustDomain, trustDomain);
    else assert.throws(() => verify(chain, set), isBonafideError);
  });
}

test("a verdict is remembered under its bundle's revision, and judged by the time of each call", () => {
  const a = new TestTrustDomain("a.example");
  const svid = a.issue("/x");
  const chain = svid.chain.map(({ der }) => der);
  const cache = createX509SvidCache();
  const set = (): X509BundleSet => x509BundleSetOf([a.bundle]);
  const now = Date.now();
  const first = verifyX509Svid(chain, set(), { now, cache });
  assert.equal(verifyX509Svid(chain, set(), { now, cache }), first);
  assert.throws(() => verifyX509Svid(chain, set(), { now: svid.notAfter + 1000, cache }));
  assert.throws(() => verifyX509Svid(chain, set(), { now: svid.notBefore - 1000, cache }));

  a.rotateAuthority();
  const second = verifyX509Svid(chain, set(), { now, cache });
  assert.notEqual(second, first);
  assert.notEqual(second.bundleRevision, first.bundleRevision);
  a.dropOldAuthorities();
  assert.throws(() => verifyX509Svid(chain, set(), { now, cache }), isBonafideError);
  assert.throws(() => verifyX509Svid(chain, new Map(), { now, cache }), isBonafideError);
});

test("a refusal is never remembered as anything", () => {
  const a = new TestTrustDomain("a.example");
  const forged = new TestTrustDomain("b.example").forge("spiffe://a.example/x");
  const cache = createX509SvidCache();
  const set = x509BundleSetOf([a.bundle]);
  for (let i = 0; i < 3; i++) {
    assert.throws(
      () => verifyX509Svid([forged.chain[0].der], set, { now: Date.now(), cache }),
      untrusted("PATH_UNKNOWN_AUTHORITY"),
    );
  }
  assert.equal(cache.size, 0);
});

function invalid(reason: string): (error: unknown) => boolean {
  return (error) =>
    isBonafideError(error, "X509_SVID_INVALID") && error.details["reason"] === reason;
}

function untrusted(reason: string): (error: unknown) => boolean {
  return (error) =>
    isBonafideError(error, "X509_SVID_UNTRUSTED") && error.details["reason"] === reason;
}
