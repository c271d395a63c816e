import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { formatCertificatesPem, formatPem, parseCertificatesPem, parsePem } from "./index.ts";
import { PKI_LIMITS } from "./limits.ts";
import { TestCa } from "./testing/index.ts";

const malformed = (error: unknown): boolean => isBonafideError(error, "PEM_MALFORMED");
const block = formatPem("CERTIFICATE", Uint8Array.of(1, 2, 3));

suite("PEM", () => {
  test("any bytes survive writing and reading", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (blocks) => {
        const text = blocks.map((der) => formatPem("SOME THING", der)).join("");
        assert.deepEqual(
          parsePem(text).map(({ der }) => der),
          blocks,
        );
      }),
    );
  });

  test("lines have 64 characters, and none is empty", () => {
    for (const size of [47, 48, 49, 96]) {
      const lines = formatPem("X", new Uint8Array(size)).split("\n");
      assert.equal(lines.pop(), "");
      assert.ok(lines.every((line) => line.length > 0 && line.length <= 64));
    }
  });

  test("explanations between blocks, blank lines and CRLF are read over", () => {
    const text = `subject=CN=x\n\n${block}issuer\n${block}`.replaceAll("\n", "\r\n");
    assert.equal(parsePem(text).length, 2);
    assert.deepEqual(parsePem("no block at all"), []);
  });

  const refused: Readonly<Record<string, string>> = {
    "a block without its end": block.slice(0, -10),
    "an end without its block": "-----END CERTIFICATE-----\n",
    "an end of another label": block.replace("END CERTIFICATE", "END X"),
    "a boundary in lower case": block.replace("BEGIN CERTIFICATE", "BEGIN certificate"),
    "a boundary with a space behind it": block.replace("-----\n", "----- \n"),
    "a header": block.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n"),
    "a blank line inside": block.replace("-----\n", "-----\n\n"),
    "a space inside": block.replace("AQID", "AQ ID"),
    base64url: formatPem("X", Uint8Array.of(0xfb, 0xff, 0xfe)).replaceAll("+", "-"),
    "base64 that is cut short": block.replace("AQID", "AQI"),
    "base64 with stray bits": formatPem("X", Uint8Array.of(1)).replace("AQ==", "AR=="),
    "padding in the middle": block.replace("AQID", "AQ==AQID"),
    "an empty block": "-----BEGIN X-----\n-----END X-----\n",
    "a block inside a block": block.replace("AQID", "AQID\n-----BEGIN X-----"),
    "too much text": "\n".repeat(PKI_LIMITS.pemCharacters + 1),
    "too many blocks": formatPem("X", Uint8Array.of(1)).repeat(PKI_LIMITS.certificates + 1),
  };
  for (const [name, text] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parsePem(text), malformed);
    });
  }

  test("certificates are read as written, and nothing else among them", () => {
    const { chain } = new TestCa("spiffe://a").intermediate().issue("spiffe://a/x");
    const text = formatCertificatesPem(chain);
    assert.deepEqual(parseCertificatesPem(text), chain);
    assert.throws(
      () => parseCertificatesPem(`${text}${formatPem("X", Uint8Array.of(1))}`),
      malformed,
    );
    assert.throws(() => parseCertificatesPem(""), malformed);
    assert.throws(
      () => parseCertificatesPem(block),
      (error) => isBonafideError(error, "CERTIFICATE_MALFORMED"),
    );
  });

  test("any text gives blocks or PEM_MALFORMED", () => {
    const line = fc.constantFrom(
      "-----BEGIN A-----",
      "-----END A-----",
      "-----BEGIN B-----",
      "AQID",
      "AQ==",
      "",
      "x y",
      "-----",
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        try {
          parsePem(lines.join("\n"));
        } catch (error) {
          assert.ok(malformed(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
