import assert from "node:assert/strict";
import { constants, createPublicKey, sign } from "node:crypto";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  fitsJwsAlgorithm,
  isJwsAlgorithm,
  JWS_ALGORITHMS,
  jwsSigner,
  keySigner,
  publicKeyOf,
  verifyJws,
} from "../index.ts";
import { makeKey, type MadeKeyKind } from "../testing/index.ts";

const message = new Uint8Array(100).fill(7);

/** The algorithms that a key fits. */
function fits(kind: MadeKeyKind): readonly string[] {
  const { privateKey } = makeKey(kind);
  const publicKey = createPublicKey(privateKey);
  for (const each of JWS_ALGORITHMS) assert.ok(!fitsJwsAlgorithm(each, privateKey));
  return JWS_ALGORITHMS.filter((each) => fitsJwsAlgorithm(each, publicKey));
}

suite("JWS signatures", () => {
  for (const [kind, algorithm] of [
    ["ec-p256", "ES256"],
    ["ec-p384", "ES384"],
    ["ec-p521", "ES512"],
    ["rsa-2048", "RS256"],
  ] as const) {
    test(`${kind} signs ${algorithm} at full width, and only that verifies`, () => {
      const signer = jwsSigner(keySigner(makeKey(kind).privateKey));
      const publicKey = publicKeyOf(signer);
      assert.equal(signer.algorithm, algorithm);
      // A hundred, so that numbers with leading zeros are among them.
      for (let i = 0; i < (kind === "rsa-2048" ? 2 : 100); i++) {
        const signature = signer.sign(message);
        assert.ok(verifyJws({ algorithm, message, signature, publicKey }));
        const longer = new Uint8Array([...signature, 0]);
        for (const wrong of [longer, signature.subarray(1), new Uint8Array(signature.length)]) {
          assert.ok(!verifyJws({ algorithm, message, signature: wrong, publicKey }));
        }
        for (const other of JWS_ALGORITHMS) {
          if (other === algorithm) continue;
          assert.ok(!verifyJws({ algorithm: other, message, signature, publicKey }), other);
        }
      }
    });
  }

  for (const bits of [256, 384, 512] as const) {
    test(`PS${bits} wants a salt as long as its hash`, () => {
      const { privateKey } = makeKey("rsa-2048");
      const publicKey = createPublicKey(privateKey);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const signed = (saltLength: number): Uint8Array =>
        sign(`sha${bits}`, message, { key: privateKey, padding, saltLength });
      const algorithm = `PS${bits}` as const;
      assert.ok(verifyJws({ algorithm, message, signature: signed(bits / 8), publicKey }));
      for (const length of [0, 20, bits / 8 - 1]) {
        assert.ok(!verifyJws({ algorithm, message, signature: signed(length), publicKey }));
      }
    });
  }

  test("keys that are weak, of another kind, or private fit no algorithm", () => {
    assert.deepEqual(fits("ec-p256"), ["ES256"]);
    assert.deepEqual(fits("ec-p384"), ["ES384"]);
    assert.deepEqual(fits("ec-p521"), ["ES512"]);
    assert.deepEqual(fits("ed25519"), []);
    assert.deepEqual(fits("rsa-1024"), []);
    assert.equal(fits("rsa-2048").length, 6);
  });

  test("Ed25519 signs no JWS", () => {
    const signer = keySigner(makeKey("ed25519").privateKey);
    assert.throws(
      () => jwsSigner(signer),
      (error) => isBonafideError(error, "PRIVATE_KEY_UNSUPPORTED"),
    );
  });

  test("names of algorithms are spelled one way, and no object's own", () => {
    for (const name of ["none", "HS256", "EdDSA", "ES256K", "es256", "ES256 ", "", "toString", 1]) {
      assert.ok(!isJwsAlgorithm(name));
    }
    for (const name of JWS_ALGORITHMS) assert.ok(isJwsAlgorithm(name));
  });
});
