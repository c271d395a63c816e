import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { generateKey, publicKeyOf } from "@bonafide/pki";
import type { SpiffeBundle, TokenAuthority } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { bundleObjectOf, readBundleObject } from "./foreign-bundle.ts";

const { bundle: x509, trustDomain } = new TestTrustDomain("other.org");

function key(keyId: string): TokenAuthority {
  return { keyId, publicKey: publicKeyOf({ spki: generateKey("ec-p256").spki }) };
}

test("a foreign bundle is kept as a document that is read again; what no agent takes is refused", () => {
  const bundle: SpiffeBundle = {
    trustDomain,
    sequence: 2n ** 60n,
    refreshHintSeconds: 60,
    x509,
    jwtAuthorities: [key("a")],
    witAuthorities: [key("b")],
  };
  const object = bundleObjectOf(bundle, "https://other.org/");
  const again = readBundleObject(object);
  assert.deepEqual(
    [again.sequence, again.x509.revision, again.jwtAuthorities[0]?.keyId, again.refreshHintSeconds],
    [2n ** 60n, x509.revision, "a", 60],
  );
  const many = Array.from({ length: 129 }, (_, i) => key(`${i}`));
  for (const bad of [
    { ...bundle, jwtAuthorities: many },
    { ...bundle, jwtAuthorities: [key("a"), key("a")] },
    { ...bundle, jwtAuthorities: [key("x".repeat(262_144))] },
    { ...bundle, sequence: 2n ** 64n },
  ]) {
    assert.throws(
      () => bundleObjectOf(bad, ""),
      (error) => isBonafideError(error, "BUNDLE_INVALID"),
    );
  }
});
