import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { TestCa } from "@bonafide/pki/testing";
import {
  formatSpiffeBundle,
  jwtBundleOf,
  jwtBundleSetOf,
  parseBundleMap,
  parseJwtBundle,
  parseSpiffeBundle,
  parseTrustDomainName,
  x509BundleOf,
  x509BundleSetOf,
} from "../index.ts";

const td = parseTrustDomainName("example.org");
const KEYS_MAX = 1024;
const SET_MAX = 10_000;
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const { publicKey: other } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const { certificate } = new TestCa("spiffe://example.org");

function refused(reason: string, act: () => unknown): void {
  assert.throws(
    act,
    (error) => isBonafideError(error, "BUNDLE_MALFORMED") && error.details["reason"] === reason,
    reason,
  );
}

function authority(i: number): { keyId: string; publicKey: typeof publicKey } {
  return { keyId: String(i), publicKey };
}

function many<T>(count: number, each: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => each(i));
}

test("a bundle has at most 1024 keys, made or read", () => {
  const documentOf = (count: number): string => JSON.stringify({ keys: many(count, () => ({})) });
  jwtBundleOf(td, many(KEYS_MAX, authority));
  refused("too-many-keys", () => jwtBundleOf(td, many(KEYS_MAX + 1, authority)));
  x509BundleOf(
    td,
    many(KEYS_MAX, () => certificate),
  );
  refused("too-many-keys", () =>
    x509BundleOf(
      td,
      many(KEYS_MAX + 1, () => certificate),
    ),
  );
  parseJwtBundle(td, documentOf(KEYS_MAX));
  refused("too-many-keys", () => parseJwtBundle(td, documentOf(KEYS_MAX + 1)));
  parseSpiffeBundle(td, documentOf(KEYS_MAX));
  refused("too-many-keys", () => parseSpiffeBundle(td, documentOf(KEYS_MAX + 1)));
});

test("a set has at most 10,000 bundles, one per trust domain", () => {
  const [jwt, x509] = [jwtBundleOf(td, []), x509BundleOf(td, [])];
  const names = many(SET_MAX + 1, (i) => parseTrustDomainName(`td${i}.example`));
  const of = <T extends object>(bundle: T, count: number): (T & { trustDomain: typeof td })[] =>
    names.slice(0, count).map((trustDomain) => ({ ...bundle, trustDomain }));
  assert.equal(jwtBundleSetOf(of(jwt, SET_MAX)).size, SET_MAX);
  refused("too-many-bundles", () => jwtBundleSetOf(of(jwt, SET_MAX + 1)));
  assert.equal(x509BundleSetOf(of(x509, SET_MAX)).size, SET_MAX);
  refused("too-many-bundles", () => x509BundleSetOf(of(x509, SET_MAX + 1)));
  const map = Object.fromEntries(names.map((name) => [name, { keys: [] }]));
  refused("too-many-bundles", () => parseBundleMap(JSON.stringify({ trust_domains: map })));
  refused("duplicate-trust-domain", () => jwtBundleSetOf([jwt, jwt]));
});

test("a key ID names one key, and a JWT bundle is a list of objects", () => {
  const same = { keyId: "a", publicKey };
  assert.equal(jwtBundleOf(td, [same, same]).keys.size, 1);
  refused("duplicate-key-id", () => jwtBundleOf(td, [same, { keyId: "a", publicKey: other }]));
  for (const text of ["[]", "{}", `{"keys":{}}`]) refused("keys", () => parseJwtBundle(td, text));
  for (const key of ["1", "null", "[]"]) {
    refused("key-not-an-object", () => parseJwtBundle(td, `{"keys":[${key}]}`));
  }
});

test("a sequence number has 64 bits", () => {
  const bundle = parseSpiffeBundle(td, `{"keys":[]}`);
  for (const sequence of [0n, 2n ** 64n - 1n]) {
    assert.equal(
      parseSpiffeBundle(td, formatSpiffeBundle({ ...bundle, sequence })).sequence,
      sequence,
    );
  }
  for (const sequence of [-1n, 2n ** 64n]) {
    refused("sequence", () => formatSpiffeBundle({ ...bundle, sequence }));
  }
});
