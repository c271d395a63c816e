import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { TestCa } from "@bonafide/pki/testing";
import {
  formatBundleMap,
  formatSpiffeBundle,
  parseBundleMap,
  parseSpiffeBundle,
  parseTrustDomain,
  refreshAfterSeconds,
  sharedKeys,
  type SpiffeBundle,
  x509BundleOf,
  x509BundleSetOf,
} from "@bonafide/spiffe";

// The bundle document, read and written. Names: Trust Domain and Bundle §n, or X509-SVID §6.

const TD = parseTrustDomain("example.org");
const first = new TestCa("spiffe://example.org").certificate;
const second = new TestCa("spiffe://example.org").certificate;

interface Jwk {
  readonly [member: string]: unknown;
}

function bundleOf(overrides: Partial<SpiffeBundle> = {}): SpiffeBundle {
  return {
    trustDomain: TD,
    sequence: 7n,
    refreshHintSeconds: 120,
    x509: x509BundleOf(TD, [first, second]),
    jwtAuthorities: [],
    witAuthorities: [],
    ...overrides,
  };
}

/** What we publish, as a stranger's JSON parser sees it. */
function published(overrides: Partial<SpiffeBundle> = {}): {
  readonly keys: readonly Jwk[];
  readonly [member: string]: unknown;
} {
  return JSON.parse(formatSpiffeBundle(bundleOf(overrides)));
}

const [JWK = {}] = published().keys;

function parse(document: unknown): SpiffeBundle {
  return parseSpiffeBundle(TD, JSON.stringify(document));
}

function refuses(document: unknown): void {
  assert.throws(
    () => parse(document),
    (error: unknown) => isBonafideError(error, "BUNDLE_MALFORMED"),
    JSON.stringify(document),
  );
}

const token = {
  keyId: "k1",
  publicKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey,
};

test("BND-04, BND-16, BND-17, X509-25 (Bundle §4): a JWK Set with a key per authority, kty and use set", () => {
  const { keys } = published({ jwtAuthorities: [token] });
  assert.deepEqual(
    keys.map(({ kty, use }) => [kty, use]),
    [
      ["EC", "x509-svid"],
      ["EC", "x509-svid"],
      ["EC", "jwt-svid"],
    ],
  );
});

test("X509-26 (X509-SVID §6.1): an X.509 key has no kid", () => {
  for (const key of published().keys) assert.ok(!("kid" in key));
});

test("X509-27 (X509-SVID §6.1): x5c is exactly one certificate in standard base64", () => {
  const [key] = published().keys;
  assert.deepEqual(key?.["x5c"], [Buffer.from(first.der).toString("base64")]);
});

test("X509-29 (X509-SVID §6.2): an X.509 key without x5c, or with an empty one, is ignored alone", () => {
  const { x5c: _, ...bare } = JWK;
  assert.equal(parse({ keys: [bare, { ...JWK, x5c: [] }, JWK] }).x509.authorities.length, 1);
});

test("X509-30 (X509-SVID §6.2): only the first x5c value counts", () => {
  const x5c = [first, second].map(({ der }) => Buffer.from(der).toString("base64"));
  const { authorities } = parse({ keys: [{ ...JWK, x5c }] }).x509;
  assert.deepEqual(
    authorities.map(({ der }) => Buffer.from(der)),
    [Buffer.from(first.der)],
  );
});

test("BND-01 (Bundle §2): a key that stands in the bundles of two trust domains is found", () => {
  const other = parseTrustDomain("other.org");
  const set = x509BundleSetOf([x509BundleOf(TD, [first]), x509BundleOf(other, [first, second])]);
  assert.deepEqual(
    sharedKeys(set).map(({ trustDomains }) => trustDomains),
    [[TD, other]],
  );
});

test("BND-05 (Bundle §4.1): further members are allowed, and none but keys is required", () => {
  assert.equal(parse({ keys: [], x: 1 }).x509.authorities.length, 0);
  assert.equal(parse({ keys: [{ ...JWK, x: 1 }] }).x509.authorities.length, 1);
});

test("BND-06, BND-09 (Bundle §4.1): a sequence and a refresh hint are written", () => {
  const document = published();
  assert.equal(document["spiffe_sequence"], 7);
  assert.equal(document["spiffe_refresh_hint"], 120);
});

test("BND-10 (Bundle §4.1.2): a hint that is no whole number of seconds is never written, and never trips a reader", () => {
  for (const refreshHintSeconds of [1.5, -1, Number.NaN]) {
    assert.throws(() => formatSpiffeBundle(bundleOf({ refreshHintSeconds })), {
      code: "BUNDLE_MALFORMED",
    });
  }
  for (const hint of [0, null, undefined]) {
    assert.equal(parse({ keys: [JWK], spiffe_refresh_hint: hint }).refreshHintSeconds, undefined);
  }
});

test("BND-11 (Bundle §4.1.2): without a hint 300 s, with one at least a minute and at most a day", () => {
  const seconds = [undefined, 1, 600, 1e9].map((refreshHintSeconds) =>
    refreshAfterSeconds({ refreshHintSeconds }),
  );
  assert.deepEqual(seconds, [300, 60, 600, 86_400]);
});

test("BND-12 (Bundle §4.1.3): keys must be an array, and may be empty", () => {
  for (const document of [{}, { keys: null }, { keys: {} }, { keys: "" }, [], null, 1]) {
    refuses(document);
  }
  assert.equal(parse({ keys: [] }).x509.authorities.length, 0);
});

test("BND-13 (Bundle §4.2): an unknown type or use is ignored alone", () => {
  const { use: _, ...useless } = JWK;
  const keys = [
    { ...JWK, kty: "AKP" },
    { ...JWK, kty: "OKP" },
    { ...JWK, use: "sig" },
    { ...JWK, use: "X509-SVID" },
    useless,
    JWK,
  ];
  assert.equal(parse({ keys }).x509.authorities.length, 1);
});

test("BND-15 (Bundle §4.2): no member is written that the standards do not define", () => {
  const known = new Set(["kty", "use", "x5c", "kid", "n", "e", "crv", "x", "y"]);
  const document = published({ jwtAuthorities: [token] });
  for (const key of document.keys)
    assert.deepEqual(
      Object.keys(key).filter((name) => !known.has(name)),
      [],
    );
  assert.deepEqual(Object.keys(document).toSorted(), [
    "keys",
    "spiffe_refresh_hint",
    "spiffe_sequence",
  ]);
});

test("WLA-12 (Workload API §5.2): keys of one kind of SVID are never taken for another's", () => {
  const read = parse(published({ jwtAuthorities: [token] }));
  assert.deepEqual(
    [read.x509.authorities.length, read.jwtAuthorities.length, read.witAuthorities.length],
    [2, 1, 0],
  );
});

test("BND-18, BND-19 (Bundle §5.1.1): a map is an object of trust domain names, each once, and may be empty", () => {
  const other = parseTrustDomain("other.org");
  const bundles = new Map([
    [TD, bundleOf()],
    [other, bundleOf({ trustDomain: other })],
  ]);
  assert.deepEqual([...parseBundleMap(formatBundleMap(bundles)).keys()], [TD, other]);
  assert.equal(parseBundleMap(`{"trust_domains":{}}`).size, 0);
  for (const text of [
    `{}`,
    `{"trust_domains":[]}`,
    `{"trust_domains":{"spiffe://a":{"keys":[]}}}`,
  ]) {
    assert.throws(() => parseBundleMap(text), { code: "BUNDLE_MALFORMED" });
  }
});

test("BND-21, BND-22 (Bundle §5.1.1): a map carries no refresh hints, and those of others count for nothing", () => {
  assert.ok(!formatBundleMap(new Map([[TD, bundleOf()]])).includes("spiffe_refresh_hint"));
  const document = { trust_domains: { [TD]: { keys: [], spiffe_refresh_hint: 5 } } };
  const read = parseBundleMap(JSON.stringify(document)).get(TD);
  assert.equal(read?.refreshHintSeconds, undefined);
});

test("BND-23 (Bundle §B.1): one bundle that cannot be read refuses the whole map", () => {
  const document = { trust_domains: { [TD]: { keys: [JWK] }, "other.org": {} } };
  assert.throws(() => parseBundleMap(JSON.stringify(document)), { code: "BUNDLE_MALFORMED" });
});
