import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { generateKey, parseCertificate } from "@bonafide/pki";
import * as fc from "fast-check";
import { parseTrustDomain } from "../id/parse-trust-domain.ts";
import { TestTrustDomain } from "../testing/test-trust-domain.ts";
import { verifyX509Svid } from "../verify/verify-x509-svid.ts";
import {
  formatBundleMap,
  formatSpiffeBundle,
  parseBundleMap,
  parseSpiffeBundle,
  refreshAfterSeconds,
  type SpiffeBundle,
} from "./spiffe-bundle.ts";
import { sharedKeys, x509BundleSetOf } from "./x509-bundle-set.ts";
import {
  formatX509BundleDer,
  parseX509BundleDer,
  parseX509BundlePem,
  x509BundleOf,
} from "./x509-bundle.ts";

const a = new TestTrustDomain("a.example");
const b = new TestTrustDomain("b.example");
const td = a.trustDomain;
const publicKey = createPublicKey(generateKey("ec-p256").privateKey);
const full: SpiffeBundle = {
  trustDomain: td,
  sequence: 18446744073709551615n,
  refreshHintSeconds: 300,
  x509: a.bundle,
  jwtAuthorities: [{ keyId: "k1", publicKey }],
  witAuthorities: [{ keyId: "k2", publicKey }],
};

interface Jwk {
  readonly [name: string]: unknown;
}

/** The written document as plain JSON, where 64 bits do not matter. */
function written(bundle: SpiffeBundle): { readonly keys: Jwk[]; readonly [name: string]: unknown } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what we wrote
  return JSON.parse(formatSpiffeBundle(bundle)) as { keys: Jwk[] };
}

function x509Jwk(over: Jwk = {}, domain = a): Jwk {
  return { ...written({ ...full, x509: domain.bundle }).keys[0], ...over };
}

function read(document: unknown): SpiffeBundle {
  return parseSpiffeBundle(td, JSON.stringify(document));
}

test("BND-04, BND-06, BND-09 (Bundle §4): what is written is read back, sequence and hint included", () => {
  const bundle = parseSpiffeBundle(td, formatSpiffeBundle(full));
  assert.equal(bundle.sequence, full.sequence);
  assert.equal(bundle.refreshHintSeconds, 300);
  assert.equal(bundle.x509.revision, a.bundle.revision);
  for (const [kept, sent] of [
    [bundle.jwtAuthorities, full.jwtAuthorities],
    [bundle.witAuthorities, full.witAuthorities],
  ] as const) {
    assert.deepEqual(
      kept.map(({ keyId }) => keyId),
      sent.map(({ keyId }) => keyId),
    );
    assert.ok(kept[0]?.publicKey.equals(publicKey));
  }
});

test("BND-15, BND-16, BND-17, X509-25, X509-26, X509-27 (Bundle §4.2, X509-SVID §6.1): keys have exactly the members that are defined", () => {
  a.rotateAuthority();
  const { keys } = written({ ...full, x509: a.bundle });
  assert.deepEqual(
    keys.map((key) => Object.keys(key).toSorted().join()),
    ["crv,kty,use,x,x5c,y", "crv,kty,use,x,x5c,y", "crv,kid,kty,use,x,y", "crv,kid,kty,use,x,y"],
  );
  assert.deepEqual(
    keys.map(({ use }) => use),
    ["x509-svid", "x509-svid", "jwt-svid", "wit-svid"],
  );
  for (const [i, key] of keys.slice(0, 2).entries()) {
    const x5c: unknown = key["x5c"];
    assert.ok(Array.isArray(x5c) && x5c.length === 1);
    const text = String(x5c[0]);
    assert.match(text, /^[A-Za-z0-9+/]+={0,2}$/);
    const der = Buffer.from(text, "base64");
    assert.deepEqual(der, Buffer.from(a.bundle.authorities[i]?.der ?? []));
    assert.equal(String(key["x"]).length, 43);
  }
  a.dropOldAuthorities();
});

test("X509-28 (X509-SVID §6.1): the certificate of an authority of ours is self-signed", () => {
  const [authority] = a.bundle.authorities;
  assert.ok(authority !== undefined);
  assert.deepEqual(authority.issuer, authority.subject);
});

test("X509-29 (X509-SVID §6.2): an entry without x5c, or with an empty one, is ignored", () => {
  const { x5c: _, ...bare } = x509Jwk();
  const bundle = read({ keys: [bare, x509Jwk({ x5c: [] }), x509Jwk({ x5c: null }), x509Jwk()] });
  assert.equal(bundle.x509.revision, a.bundle.revision);
});

test("X509-30 (X509-SVID §6.2): only the first x5c value counts", () => {
  const [first] = [x509Jwk()["x5c"]].flat();
  const [second] = [x509Jwk({}, b)["x5c"]].flat();
  const bundle = read({ keys: [x509Jwk({ x5c: [first, second, "not base64"] })] });
  assert.equal(bundle.x509.revision, a.bundle.revision);
});

test("X509-31 (X509-SVID §6.2): a bundle without x509-svid entries makes every X509-SVID of its domain fail", () => {
  const { x509 } = read({ keys: written(full).keys.slice(1) });
  assert.equal(x509.authorities.length, 0);
  assert.throws(
    () =>
      verifyX509Svid([a.issue("/x").chain[0].der], x509BundleSetOf([x509]), { now: Date.now() }),
    coded("BUNDLE_NOT_FOUND"),
  );
});

test("BND-05 (Bundle §4.1): members that nobody defined are allowed and not needed", () => {
  assert.equal(read({ keys: [], x: 1, y: { z: [] } }).x509.authorities.length, 0);
  assert.equal(read({ keys: [x509Jwk({ alg: "ES256", extra: {} })] }).x509.authorities.length, 1);
});

test("BND-08 (Bundle §4.1.1): a sequence number keeps 64 bits, and more or fewer than an integer is refused", () => {
  assert.equal(sequence("18446744073709551615"), 18446744073709551615n);
  assert.equal(sequence("0"), 0n);
  assert.equal(sequence("null"), undefined);
  for (const text of ["18446744073709551616", "-1", "1.5", '"1"', "1e3", "true"]) {
    assert.throws(() => sequence(text), malformed("sequence"), text);
  }
});

test("BND-10 (Bundle §4.1.2): a refresh hint is written as whole seconds only, and read tolerantly", () => {
  for (const refreshHintSeconds of [1.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => formatSpiffeBundle({ ...full, refreshHintSeconds }),
      malformed("refresh-hint"),
    );
  }
  assert.equal(hint("300"), 300);
  for (const text of ["0", "-5", "1.5", "null", '"300"']) assert.equal(hint(text), undefined, text);
});

test("BND-11 (Bundle §4.1.2): the hint is held between a minute and a day, 300 s without one", () => {
  for (const [refreshHintSeconds, seconds] of [
    [undefined, 300],
    [1, 60],
    [60, 60],
    [900, 900],
    [1e9, 86_400],
  ] as const) {
    assert.equal(refreshAfterSeconds({ refreshHintSeconds }), seconds);
  }
});

test("BND-12 (Bundle §4.1.3): keys must be there, as an array", () => {
  for (const document of [{}, { keys: null }, { keys: {} }, { keys: "x" }, [], null, 1]) {
    assert.throws(() => read(document), coded("BUNDLE_MALFORMED"), JSON.stringify(document));
  }
  assert.throws(() => read({ keys: [1] }), malformed("key-not-an-object"));
  assert.equal(read({ keys: [] }).x509.authorities.length, 0);
});

test("BND-13 (Bundle §4.1.3): a key of an unknown type or use is skipped alone", () => {
  const { use: _, ...noUse } = x509Jwk();
  const { kty: __, ...noType } = x509Jwk();
  const skipped = [
    ...["OKP", "AKP", "oct", "ec", "", 1].map((kty) => x509Jwk({ kty })),
    ...["sig", "X509-SVID", "enc", "", 1, null].map((use) => x509Jwk({ use })),
    noUse,
    noType,
    { kty: "EC", use: "jwt-svid", crv: "P-256", x: "bad", y: "bad" },
  ];
  const bundle = read({ keys: [...skipped, x509Jwk({}, b)] });
  assert.equal(bundle.x509.authorities.length, 1);
  assert.deepEqual(bundle.x509.authorities[0]?.der, b.ca.certificate.der);
  assert.equal(bundle.jwtAuthorities.length, 0);
});

function jwkOf(kid: string, key: KeyObject): object {
  return { use: "jwt-svid", kid, ...key.export({ format: "jwk" }) };
}

test("a token key of a size or curve that is not accepted is skipped alone", () => {
  const keys = [
    jwkOf("short", generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey),
    jwkOf("curve", generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey),
    jwkOf("good", generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey),
  ];
  const { jwtAuthorities } = read({ keys });
  assert.deepEqual(
    jwtAuthorities.map(({ keyId }) => keyId),
    ["good"],
  );
});

test("a key that claims a known use and cannot be read refuses the document", () => {
  const text = String([x509Jwk()["x5c"]].flat()[0]);
  for (const [over, reason] of [
    [{ x5c: [1] }, "x5c"],
    [{ x5c: [""] }, "x5c-certificate"],
    [{ x5c: [`${text}\n`] }, "x5c-base64"],
    [{ x5c: [`_-${text.slice(2)}`] }, "x5c-base64"],
    [{ x5c: [`-----BEGIN CERTIFICATE-----\n${text}`] }, "x5c-base64"],
    [{ x5c: [text.slice(0, -8)] }, "x5c-certificate"],
    [{ use: "jwt-svid", kid: "k", x: "AA" }, "jwk"],
  ] as const) {
    assert.throws(() => read({ keys: [x509Jwk(over)] }), malformed(reason));
  }
});

test("WLA-12 (Workload API §5.2): keys of one use never serve another", () => {
  const { jwtAuthorities, witAuthorities, x509 } = parseSpiffeBundle(td, formatSpiffeBundle(full));
  assert.deepEqual(
    [x509.authorities.length, jwtAuthorities[0]?.keyId, witAuthorities[0]?.keyId],
    [1, "k1", "k2"],
  );
});

test("BND-18, BND-19, BND-23 (Bundle §5.1.1): a map of bundles is one whole, by names without a scheme", () => {
  const other = { ...full, trustDomain: b.trustDomain, x509: b.bundle };
  const text = formatBundleMap(
    new Map([
      [td, full],
      [b.trustDomain, other],
    ]),
  );
  const map = parseBundleMap(text);
  assert.deepEqual([...map.keys()], ["a.example", "b.example"]);
  assert.equal(map.get(b.trustDomain)?.x509.revision, b.bundle.revision);
  assert.equal(parseBundleMap('{"trust_domains":{}}').size, 0);
  // The next map is the new state of the world, not an addition.
  assert.equal(parseBundleMap(formatBundleMap(new Map([[td, full]]))).has(b.trustDomain), false);
  for (const bad of [
    ...'{}|[]|null|1|{"trust_domains":[]}|{"trust_domains":null}'.split("|"),
    '{"trust_domains":{"spiffe://a":{"keys":[]}}}',
    '{"trust_domains":{"A":{"keys":[]}}}',
    '{"trust_domains":{"":{"keys":[]}}}',
    '{"trust_domains":{"a":{}}}',
  ]) {
    assert.throws(() => parseBundleMap(bad), coded("BUNDLE_MALFORMED"), bad);
  }
});

test("BND-20 (Bundle §5.1.1): a map or a bundle with a repeated name is refused", () => {
  for (const bad of [
    '{"trust_domains":{"a":{"keys":[]},"a":{"keys":[]}}}',
    String.raw`{"trust_domains":{"a":{"keys":[]},"\u0061":{"keys":[]}}}`,
    '{"trust_domains":{"a":{"keys":[],"keys":[]}}}',
    '{"trust_domains":{},"trust_domains":{}}',
  ]) {
    assert.throws(() => parseBundleMap(bad), malformed("duplicate-member"));
  }
});

test("BND-21, BND-22 (Bundle §5.1.1): a map holds no refresh hints, and those in one count for nothing", () => {
  assert.ok(!formatBundleMap(new Map([[td, full]])).includes("refresh_hint"));
  const map = parseBundleMap('{"trust_domains":{"a":{"spiffe_refresh_hint":1,"keys":[]}}}');
  assert.equal(map.get(parseTrustDomain("a"))?.refreshHintSeconds, undefined);
});

test("BND-01 (Bundle §2): a key that stands in the bundles of two domains is found", () => {
  assert.deepEqual(sharedKeys(x509BundleSetOf([a.bundle, b.bundle])), []);
  const stolen = x509BundleOf(b.trustDomain, [b.ca.certificate, a.ca.certificate]);
  const [shared] = sharedKeys(x509BundleSetOf([a.bundle, stolen]));
  assert.deepEqual(shared?.trustDomains, ["a.example", "b.example"]);
});

test("BND-02 (Bundle §3): a set holds one bundle per trust domain and merges nothing", () => {
  assert.throws(() => x509BundleSetOf([a.bundle, a.bundle]), malformed("duplicate-trust-domain"));
});

test("BND-03 (Bundle §3): another content is another revision, the same content the same", () => {
  const { authorities } = a.bundle;
  const again = x509BundleOf(
    td,
    authorities.map(({ der }) => parseCertificate(der)),
  );
  assert.equal(again.revision, a.bundle.revision);
  assert.equal(x509BundleOf(td, [...authorities, ...authorities]).revision, again.revision);
  assert.notEqual(x509BundleOf(b.trustDomain, authorities).revision, again.revision);
  assert.notEqual(x509BundleOf(td, []).revision, again.revision);
  assert.match(again.revision, /^[0-9a-f]{64}$/);
});

test("WLA-14 (Workload API §5.1): a bundle in DER is one certificate after the other, nothing between", () => {
  const two = x509BundleOf(td, [a.ca.certificate, b.ca.certificate]);
  const der = formatX509BundleDer(two);
  assert.deepEqual(Buffer.from(der), Buffer.concat([a.ca.certificate.der, b.ca.certificate.der]));
  assert.equal(parseX509BundleDer(td, der).revision, two.revision);
  assert.equal(parseX509BundleDer(td, new Uint8Array()).authorities.length, 0);
  for (const bad of [der.subarray(1), der.subarray(0, -1), new Uint8Array([...der, 0])]) {
    assert.throws(() => parseX509BundleDer(td, bad), malformed("certificate"));
  }
  assert.throws(
    () => parseX509BundleDer(td, new Uint8Array(4 * 1024 * 1024 + 1)),
    malformed("too-long"),
  );
  assert.equal(parseX509BundlePem(td, a.ca.pem + b.ca.pem).revision, two.revision);
  for (const bad of ["", "x", a.ca.pem.replaceAll("CERTIFICATE", "PUBLIC KEY")]) {
    assert.throws(() => parseX509BundlePem(td, bad), coded("BUNDLE_MALFORMED"));
  }
});

test("mutated bundle documents are read or refused with a code, never worse", () => {
  const text = formatSpiffeBundle(full);
  const edit = fc.tuple(fc.nat(text.length), fc.constantFrom(...'{}[]",:0x-.=A'.split("")));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let mutated = text;
      for (const [at, c] of edits) mutated = mutated.slice(0, at) + c + mutated.slice(at + 1);
      try {
        parseSpiffeBundle(td, mutated);
      } catch (error) {
        assert.ok(isBonafideError(error, "BUNDLE_MALFORMED"), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

function sequence(text: string): bigint | undefined {
  return parseSpiffeBundle(td, `{"spiffe_sequence":${text},"keys":[]}`).sequence;
}

function hint(text: string): number | undefined {
  return parseSpiffeBundle(td, `{"spiffe_refresh_hint":${text},"keys":[]}`).refreshHintSeconds;
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}

function malformed(reason: string): (error: unknown) => boolean {
  return (error) =>
    isBonafideError(error, "BUNDLE_MALFORMED") && error.details["reason"] === reason;
}
