import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { test } from "node:test";
import { FetchSignedBundleResponseSchema } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { create, toBinary } from "@bufbuild/protobuf";
import { type SignedBundle, signedBundleMessage, verifySignedBundle } from "./signed-bundle.ts";

test("a signed bundle counts for its nonce, its trust domain and its key, and never goes back", () => {
  const { trustDomain, bundle: x509 } = new TestTrustDomain("example.org");
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const pinned = { trustDomain, key, sequence: 7n };
  const answerTo = (nonce: Uint8Array, sequence: bigint): SignedBundle => {
    const bundle = toBinary(
      BundleSchema,
      create(BundleSchema, {
        trustDomain,
        x509Authorities: x509.authorities.map(({ der }) => ({ asn1: der })),
        sequenceNumber: sequence,
      }),
    );
    const message = signedBundleMessage({ trustDomain, sequence, bundle, nonce });
    const signature = sign(null, message, privateKey);
    const fields = { trustDomain, sequenceNumber: sequence, bundle, signature, recoveryKey: key };
    return { answer: create(FetchSignedBundleResponseSchema, fields), nonce };
  };
  const nonce = randomBytes(32);
  const good = answerTo(nonce, 7n);
  assert.equal(verifySignedBundle(good, pinned).x509.authorities.length, 1);
  const bad: readonly [SignedBundle, typeof pinned][] = [
    // What was answered to somebody else, or to this agent before.
    [{ ...good, nonce: randomBytes(32) }, pinned],
    [answerTo(nonce, 6n), pinned],
    [good, { ...pinned, key: randomBytes(32) }],
    [good, { ...pinned, trustDomain: new TestTrustDomain("other.org").trustDomain }],
  ];
  for (const [signed, by] of bad) {
    assert.throws(() => verifySignedBundle(signed, by), { code: "SERVER_ANSWER_INVALID" });
  }
});
