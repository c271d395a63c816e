import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { parseCanonicalJson, canonicalJson } from "../core/bundle/canonical-json.ts";
import { formatEnvelope, parseEnvelope } from "../core/bundle/envelope.ts";
import { BUNDLE_BYTES_MAX } from "../limits.ts";
import { buildOf, ISSUED, newSigner, trustIn } from "../testing/signed-org.ts";
import { addSignature } from "./build-bundle.ts";
import { verifyBundle } from "./verified-bundle.ts";

const [ann, ben] = [await newSigner(), await newSigner("ECDSA P-256")];
const file = await addSignature(await (await buildOf(7)).sign(ann), ben);
const options = { trust: trustIn([ann, ben], 2), trustDomain: "example.org", now: ISSUED };

test("no change of any byte is adopted", async () => {
  // Each byte once, spread over the file; all of them would take a minute.
  const step = 7;
  for (let at = 0; at < file.length; at += step) {
    const changed = Uint8Array.from(file);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    await assert.rejects(verifyBundle(changed, options), refused, `byte ${at}`);
  }
});

test("no cut, inserted, doubled or moved piece is adopted, and nothing else happens", async () => {
  const spot = fc.nat(file.length);
  const edit = fc.record({ from: spot, length: fc.nat(400), to: spot, bytes: fc.uint8Array() });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      let changed = Uint8Array.from(file);
      for (const { from, length, to, bytes } of edits) {
        const piece = changed.subarray(from, from + length);
        const rest = [...changed.subarray(0, from), ...changed.subarray(from + length)];
        rest.splice(to, 0, ...(length % 2 === 0 ? piece : bytes));
        changed = Uint8Array.from(rest);
      }
      if (Buffer.compare(changed, file) === 0) return;
      await assert.rejects(verifyBundle(changed, options), refused);
    }),
    { numRuns: 300 },
  );
});

test("an envelope has one spelling", () => {
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.nat(255), (at, value) => {
      const changed = Uint8Array.from(file);
      changed[at] = value;
      try {
        assert.deepEqual(formatEnvelope(parseEnvelope(changed)), changed);
      } catch (error) {
        if (!refused(error)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test("lengths that lie, lines without an end and files beyond the limit are refused at once", () => {
  const head = "bonafide-authz-bundle 1\n";
  for (const bytes of [
    new Uint8Array(),
    bytesOf("bonafide-authz-bundle 2\n"),
    bytesOf(head),
    bytesOf(`${head}manifest 999999999\n{}\n`),
    bytesOf(`${head}manifest -1\n{}\n`),
    bytesOf(`${head}manifest 02\n{}\n`),
    bytesOf(`${head}manifest 1e1\n{}\n`),
    bytesOf(`${head}manifest 2\n{}`),
    bytesOf(`${head}manifest 1\n{}\n`),
    bytesOf(`${head}manifest 2\n{}\nslice ../x 0\n\n`),
    bytesOf(`${head}manifest 2\n{}\nslice guardrails 0\n\nslice guardrails 0\n\n`),
    bytesOf(`${head}${"x".repeat(100_000)}`),
    bytesOf(`${head}signature ${"0".repeat(64)} ${"0".repeat(127)}\nmanifest 2\n{}\n`),
    new Uint8Array(BUNDLE_BYTES_MAX + 1),
  ]) {
    assert.throws(() => parseEnvelope(bytes), refused);
  }
});

test("canonical JSON: what is read is written again to the byte", () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      try {
        assert.deepEqual(parseCanonicalJson(encoder.encode(canonicalJson(value))), value);
      } catch (error) {
        if (!refused(error)) throw error;
      }
    }),
  );
  for (const text of [
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    "1.0",
    "-0",
    "1e3",
    '"\\u0061"',
    "[1, 2]",
  ]) {
    assert.throws(() => parseCanonicalJson(encoder.encode(text)), refused, text);
  }
  for (const bytes of [[0xef, 0xbb, 0xbf, 0x31], [0xff], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
    assert.throws(() => parseCanonicalJson(Uint8Array.from(bytes)), refused);
  }
  const deep = encoder.encode("[".repeat(5000) + "]".repeat(5000));
  assert.throws(() => parseCanonicalJson(deep), refused);
});

function bytesOf(line: string): Uint8Array {
  return new TextEncoder().encode(line);
}

function refused(error: unknown): boolean {
  return isBonafideError(error) && error.code.startsWith("BUNDLE_");
}
