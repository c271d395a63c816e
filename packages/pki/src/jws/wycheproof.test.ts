import assert from "node:assert/strict";
import { createPublicKey, type KeyObject, type webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { fitsJwsAlgorithm, isJwsAlgorithm, verifyJws } from "../index.ts";

type JsonWebKey = webcrypto.JsonWebKey & { readonly kid?: string };

/** What is read of the vector files. */
interface Vectors {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly comment?: string;
    readonly publicKeyDer?: string;
    readonly public?: JsonWebKey & { readonly keys?: readonly JsonWebKey[] };
    readonly private?: JsonWebKey & { readonly keys?: readonly JsonWebKey[] };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly jws?: unknown;
      readonly msg?: string;
      readonly sig?: string;
      readonly result: "valid" | "invalid" | "acceptable";
    }[];
  }[];
}

function vectors(name: string): Vectors {
  const file = new URL(`../../testdata/wycheproof-${name}.json`, import.meta.url);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked-in data; a wrong shape fails the counts below
  return JSON.parse(readFileSync(file, "utf8")) as Vectors;
}

const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** A JWK's public key, if it is one that signs. */
function importJwk(jwk: JsonWebKey): KeyObject | undefined {
  const { kty, crv, x, y, n, e } = jwk;
  const canVerify = jwk["use"] === undefined || jwk["use"] === "sig";
  const operations: unknown = jwk["key_ops"];
  if (!canVerify || (Array.isArray(operations) && !operations.includes("verify"))) return undefined;
  try {
    const members = Object.entries({ kty, crv, x, y, n, e }).filter(
      ([, value]) => value !== undefined,
    );
    return createPublicKey({ key: Object.fromEntries(members), format: "jwk" });
  } catch {
    return undefined;
  }
}

/** Where we decide otherwise, and why. */
const DIFFERS: Readonly<Record<string, string>> = {
  rejectsKeyWithRocaVulnerability:
    "a flaw of one chip's generator of 2012 to 2017; no TLS or JOSE library looks for it",
  mismatchedAlgAndCurve: "an `alg` that does not exist; a key is judged by what it is",
  Figure20: "the key says PS256 and signs PS384",
};

/** The plainest reading of a compact JWS over our own check; the strict one for JWT-SVIDs is the SDK's. */
function accepts(jws: unknown, jwk: JsonWebKey): boolean {
  if (typeof jws !== "string") return false;
  const parts = jws.split(".");
  const [header = "", payload = "", signature = ""] = parts;
  if (parts.length !== 3 || !parts.every(isCanonical) || signature === "") return false;
  let algorithm: unknown;
  try {
    algorithm = JSON.parse(Buffer.from(header, "base64url").toString()).alg;
  } catch {
    return false;
  }
  const publicKey = importJwk(jwk);
  if (publicKey === undefined || !isJwsAlgorithm(algorithm)) return false;
  // No member of a SPIFFE bundle, where a key is for all that it fits; elsewhere it binds.
  if (isJwsAlgorithm(jwk["alg"]) && jwk["alg"] !== algorithm) return false;
  return verifyJws({
    algorithm,
    message: new Uint8Array(Buffer.from(`${header}.${payload}`, "latin1")),
    signature: new Uint8Array(Buffer.from(signature, "base64url")),
    publicKey,
  });
}

const isCanonical = (part: string): boolean =>
  Buffer.from(part, "base64url").toString("base64url") === part;

suite("Wycheproof: JSON Web Signature", () => {
  test("JWT-04 (JWT-SVID §2.1, §4): every valid signature with a key pair is accepted, nothing else", () => {
    const { numberOfTests, testGroups } = vectors("json-web-signature");
    let judged = 0;
    let accepted = 0;
    const problems: string[] = [];
    for (const group of testGroups) {
      const jwk = group.public ?? group.private ?? {};
      // Secrets shared by both sides are never accepted, whatever the vector says of their MAC.
      const isPair = jwk.kty !== "oct";
      for (const { tcId, comment, jws, result } of group.tests) {
        judged++;
        const verdict = accepts(jws, jwk);
        if (verdict) accepted++;
        const expected = result === "valid" && isPair;
        const differs = verdict !== expected;
        if (differs !== comment in DIFFERS)
          problems.push(`${tcId} ${group.comment ?? ""} ${comment}`);
      }
    }
    assert.deepEqual(problems, []);
    assert.equal(judged, numberOfTests);
    assert.ok(accepted > 30, `${accepted}`);
  });

  test("JWT-12 (JWT-SVID §4): a key that is weak, off its curve, or not for this algorithm verifies nothing", () => {
    const { numberOfTests, testGroups } = vectors("json-web-key");
    let judged = 0;
    const problems: string[] = [];
    for (const group of testGroups) {
      const keys = group.public?.keys ?? group.private?.keys ?? [];
      for (const { tcId, comment, jws, result } of group.tests) {
        judged++;
        const verdict = keys.some((jwk) => accepts(jws, jwk));
        const isPair = keys.every(({ kty }) => kty !== "oct");
        const expected = result === "valid" && isPair;
        const differs = verdict !== expected;
        if (differs !== comment in DIFFERS)
          problems.push(`${tcId} ${group.comment ?? ""} ${comment}`);
      }
    }
    assert.deepEqual(problems, []);
    assert.equal(judged, numberOfTests);
  });
});

suite("Wycheproof: ECDSA over P-256 with SHA-256, r and s at full width", () => {
  test("every valid signature is accepted, every invalid one refused", () => {
    const { numberOfTests, testGroups } = vectors("ecdsa-p256-sha256-p1363");
    let judged = 0;
    for (const { publicKeyDer = "", tests } of testGroups) {
      const key = Buffer.from(publicKeyDer, "hex");
      const publicKey = createPublicKey({ key, format: "der", type: "spki" });
      assert.ok(fitsJwsAlgorithm("ES256", publicKey));
      for (const { tcId, comment, msg = "", sig = "", result } of tests) {
        const check = { message: fromHex(msg), signature: fromHex(sig), publicKey };
        const verified = verifyJws({ algorithm: "ES256", ...check });
        assert.equal(verified, result === "valid", `${tcId}: ${comment}`);
        judged++;
      }
    }
    assert.equal(judged, numberOfTests);
  });
});
