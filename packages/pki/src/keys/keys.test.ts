import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  encodePrivateKey,
  encodePublicKey,
  formatPem,
  generateKey,
  keyAlgorithmOf,
  keyIdOf,
  keySigner,
  parsePrivateKey,
  parsePrivateKeyPem,
  publicKeyOf,
  verifySignature,
} from "../index.ts";
import { makeCertificate, makeKey } from "../testing/index.ts";

const weakPublic = (error: unknown): boolean => isBonafideError(error, "PUBLIC_KEY_UNSUPPORTED");
const weakPrivate = (error: unknown): boolean => isBonafideError(error, "PRIVATE_KEY_UNSUPPORTED");
const spkiOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(key.export({ format: "der", type: "spki" }));
const pkcs8Of = (key: KeyObject): Uint8Array =>
  new Uint8Array(key.export({ format: "der", type: "pkcs8" }));

suite("private keys", () => {
  test("PKCS#8 of P-256 written by hand equals OpenSSL's, octet for octet", () => {
    for (let i = 0; i < 300; i++) {
      const { privateKey, spki } = generateKey("ec-p256");
      assert.deepEqual(encodePrivateKey(privateKey), pkcs8Of(privateKey));
      assert.deepEqual(spki, spkiOf(createPublicKey(privateKey)));
    }
  });

  for (const kind of ["ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048"] as const) {
    test(`a ${kind} key survives writing and reading`, () => {
      const { privateKey, spki } = makeKey(kind);
      const again = parsePrivateKey(encodePrivateKey(privateKey));
      assert.ok(again.equals(privateKey));
      assert.deepEqual(encodePublicKey(privateKey), spki);
      assert.deepEqual(encodePublicKey(createPublicKey(privateKey)), spki);
      assert.equal(keyAlgorithmOf(again), kind.startsWith("rsa") ? "rsa" : kind);
    });
  }

  test("the key of a PEM text is read when it is the only block", () => {
    const { privateKey } = generateKey("ed25519");
    const pem = formatPem("PRIVATE KEY", encodePrivateKey(privateKey));
    assert.ok(parsePrivateKeyPem(pem).equals(privateKey));
    for (const text of ["", pem + pem, pem.replaceAll("PRIVATE", "PUBLIC")]) {
      assert.throws(
        () => parsePrivateKeyPem(text),
        (error) => isBonafideError(error, "PEM_MALFORMED"),
      );
    }
  });

  test("refuses what is not one PKCS#8 key of an accepted kind", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const der = pkcs8Of(privateKey);
    const others = [
      new Uint8Array(0),
      new Uint8Array(20_000),
      new Uint8Array([...der, 0]),
      der.subarray(0, -1),
      spkiOf(publicKey),
      pkcs8Of(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey),
      pkcs8Of(generateKeyPairSync("x25519").privateKey),
      pkcs8Of(makeKey("rsa-1024").privateKey),
    ];
    for (const other of others) assert.throws(() => parsePrivateKey(other), weakPrivate);
    assert.throws(() => encodePrivateKey(publicKey), weakPrivate);
    assert.throws(() => keySigner(publicKey), weakPrivate);
  });

  test("no error of a private key repeats its octets, in message or cause", () => {
    const der = encodePrivateKey(generateKey("ec-p256").privateKey);
    der[20] = 0xff;
    try {
      parsePrivateKey(der);
      assert.fail("parsed");
    } catch (error) {
      assert.ok(isBonafideError(error, "PRIVATE_KEY_UNSUPPORTED"));
      assert.equal(error.cause, undefined);
    }
  });
});

suite("public keys", () => {
  const p256 = makeKey("ec-p256").spki;

  test("a key is imported once per object", () => {
    const holder = makeCertificate();
    assert.equal(publicKeyOf(holder), publicKeyOf(holder));
    assert.deepEqual(spkiOf(publicKeyOf(holder)), holder.spki);
  });

  test("refuses a P-256 key whose point is not on the curve", () => {
    const off = p256.slice();
    off[90] = (off.at(-1) ?? 0) ^ 1;
    assert.throws(() => publicKeyOf({ spki: off }), weakPublic);
  });

  test("refuses coordinates of zero, and coordinates beyond the field", () => {
    for (const octet of [0, 0xff]) {
      const point = p256.slice();
      point.fill(octet, 27);
      assert.throws(() => publicKeyOf({ spki: point }), weakPublic);
    }
  });

  test("refuses a P-384 key whose point is not on the curve", () => {
    const off = makeKey("ec-p384").spki.slice();
    off[60] = (off[60] ?? 0) ^ 1;
    assert.throws(() => publicKeyOf({ spki: off }), weakPublic);
  });

  test("refuses compressed points and the point at infinity", () => {
    const compressed = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");
    const parity = 2 + ((p256.at(-1) ?? 0) & 1);
    const spki = new Uint8Array([...compressed, parity, ...p256.subarray(27, 59)]);
    // It is a key that OpenSSL takes; we want one form of each key.
    createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    assert.throws(() => publicKeyOf({ spki }), weakPublic);
    const infinity = Buffer.from("3019301306072a8648ce3d020106082a8648ce3d03010703020000", "hex");
    assert.throws(() => publicKeyOf({ spki: new Uint8Array(infinity) }), weakPublic);
  });

  test("refuses other kinds, other curves, explicit curve parameters and small RSA keys", () => {
    const explicit = { namedCurve: "P-256", paramEncoding: "explicit" } as const;
    const others = [
      makeKey("rsa-1024").spki,
      spkiOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey),
      spkiOf(generateKeyPairSync("ec", explicit).publicKey),
      spkiOf(generateKeyPairSync("x25519").publicKey),
      spkiOf(generateKeyPairSync("ed448").publicKey),
      spkiOf(generateKeyPairSync("dsa", { modulusLength: 2048, divisorLength: 256 }).publicKey),
      spkiOf(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).publicKey),
    ];
    for (const spki of others) assert.throws(() => publicKeyOf({ spki }), weakPublic);
    assert.throws(() => keyAlgorithmOf(generateKeyPairSync("x25519").publicKey), weakPublic);
  });

  test("refuses an RSA key with an even exponent, an exponent of 1, or a tail", () => {
    const { spki } = makeKey("rsa-2048");
    const even = spki.slice();
    even[even.length - 1] = 0;
    assert.throws(() => publicKeyOf({ spki: even }), weakPublic);
    assert.throws(() => publicKeyOf({ spki: new Uint8Array([...spki, 0]) }), weakPublic);
  });

  test("the key identifier is SHA-1 of the key bits, for every kind", () => {
    for (const kind of ["ec-p256", "ec-p384", "ed25519", "rsa-2048"] as const) {
      const { spki } = makeKey(kind);
      assert.equal(keyIdOf(spki).length, 20);
    }
  });
});

suite("signatures", () => {
  const message = new Uint8Array(100).fill(7);

  for (const kind of ["ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048"] as const) {
    test(`a signature by ${kind} verifies, and an altered one does not`, () => {
      const signer = keySigner(makeKey(kind).privateKey);
      const publicKey = publicKeyOf(signer);
      const signature = signer.sign(message);
      const { algorithm } = signer;
      assert.ok(verifySignature({ algorithm, message, signature, publicKey }));
      const altered = signature.slice();
      altered[20] = (altered[20] ?? 0) ^ 1;
      assert.ok(!verifySignature({ algorithm, message, signature: altered, publicKey }));
      assert.ok(
        !verifySignature({ algorithm, message, signature: altered.slice(0, 3), publicKey }),
      );
      const empty = new Uint8Array(0);
      assert.ok(!verifySignature({ algorithm, message, signature: empty, publicKey }));
    });
  }

  test("a key of another kind than the algorithm verifies nothing", () => {
    const signer = keySigner(makeKey("ec-p256").privateKey);
    const publicKey = publicKeyOf(makeKey("ed25519"));
    const signature = signer.sign(message);
    assert.ok(!verifySignature({ algorithm: signer.algorithm, message, signature, publicKey }));
  });

  test("an algorithm that is not accepted is an error, not a false", () => {
    const publicKey = publicKeyOf(makeKey("rsa-2048"));
    for (const algorithm of ["1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4", "1.2.3"]) {
      assert.throws(
        () => verifySignature({ algorithm, message, signature: message, publicKey }),
        (error) => isBonafideError(error, "PATH_SIGNATURE_WEAK"),
      );
    }
  });
});
