import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePublicKey, generateKey } from "@bonafide/pki";
import { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import { parseTrustDomainName } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { parseBundle } from "./parse-bundle.ts";

test("two JWT keys of one ID are left out of a foreign bundle, and refuse one's own", () => {
  const [a, b, c] = [1, 2, 3].map(() => encodePublicKey(generateKey("ec-p256").privateKey));
  assert.ok(a && b && c);
  const bundle = create(BundleSchema, {
    trustDomain: "other.org",
    jwtAuthorities: [
      { keyId: "twice", publicKey: a },
      { keyId: "twice", publicKey: b },
      { keyId: "same", publicKey: c },
      { keyId: "same", publicKey: c },
    ],
  });
  assert.deepEqual([...parseBundle(bundle).jwt.keys.keys()], ["same"]);
  assert.throws(() => parseBundle(bundle, parseTrustDomainName("other.org")), {
    code: "SERVER_ANSWER_INVALID",
  });
});
