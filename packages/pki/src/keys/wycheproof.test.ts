import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { publicKeyOf, verifySignature } from "../index.ts";

/** What is read of the vector file. */
interface Vectors {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly publicKeyDer: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: "valid" | "invalid";
    }[];
  }[];
}

const file = new URL("../../testdata/wycheproof-ecdsa-p256-sha256.json", import.meta.url);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked-in data; a wrong shape fails the count below
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

suite("Wycheproof: ECDSA over P-256 with SHA-256", () => {
  test("every valid signature is accepted, every invalid one refused", () => {
    let judged = 0;
    for (const group of vectors.testGroups) {
      const publicKey = publicKeyOf({ spki: fromHex(group.publicKeyDer) });
      for (const { tcId, comment, msg, sig, result } of group.tests) {
        const verified = verifySignature({
          algorithm: "1.2.840.10045.4.3.2",
          message: fromHex(msg),
          signature: fromHex(sig),
          publicKey,
        });
        assert.equal(verified, result === "valid", `${tcId}: ${comment}`);
        judged++;
      }
    }
    assert.equal(judged, vectors.numberOfTests);
    assert.ok(judged > 400);
  });
});
