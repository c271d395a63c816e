import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import {
  commit,
  decodeBody,
  decodeLeaf,
  encodeBody,
  encodeLeaf,
  EPOCH_MAX,
  erasePart,
  type Leaf,
  LEAF_BYTES,
  N_MAX,
  objectKey,
  parseWireNumber,
  partBytes,
  saltPart,
  toHex,
  wireNumber,
  flooredNumber,
} from "./index.ts";

const SECRET = new Uint8Array(32).fill(7);
const SAMPLE: Leaf = {
  kind: 3,
  needs: 1,
  tombstone: false,
  reappended: false,
  epoch: 1,
  n: 12,
  time: 1_795_000_000_000,
  prev: 7,
  key: objectKey(SECRET, 3, "e-1"),
  commitment: new Uint8Array(32).fill(9),
};

const leaves: fc.Arbitrary<Leaf> = fc
  .record({
    kind: fc.nat(0xffff),
    needs: fc.nat(0xff),
    tombstone: fc.boolean(),
    reappended: fc.boolean(),
    epoch: fc.nat(EPOCH_MAX),
    n: fc.integer({ min: 1, max: N_MAX }),
    time: fc.nat(Number.MAX_SAFE_INTEGER),
    prev: fc.nat(N_MAX),
    key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    commitment: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map((leaf) => ({ ...leaf, prev: leaf.prev % leaf.n }));

const plain = (l: Leaf) => ({ ...l, key: toHex(l.key), commitment: toHex(l.commitment) });

test("a leaf is 80 bytes and its vector does not change", () => {
  assert.equal(
    toHex(encodeLeaf(SAMPLE)),
    "0100000301000001000000000000000c000001a1ee565e000000000000000007" +
      `757f25a4c3bc625e8986af126f03c01f${"09".repeat(32)}`,
  );
});

test("decoding is the inverse of encoding", () => {
  fc.assert(
    fc.property(leaves, (leaf) => {
      const decoded = decodeLeaf(encodeLeaf(leaf));
      assert.deepEqual(plain(decoded), plain(leaf));
    }),
    { numRuns: 2000 },
  );
});

test("80 bytes either decode to one leaf and back to themselves, or are refused by code", () => {
  const change = fc.record({ at: fc.nat(LEAF_BYTES - 1), to: fc.nat(255) });
  let accepted = 0;
  fc.assert(
    fc.property(leaves, fc.array(change, { minLength: 1, maxLength: 4 }), (leaf, changes) => {
      const bytes = encodeLeaf(leaf);
      for (const { at, to } of changes) bytes[at] = to;
      try {
        assert.equal(toHex(encodeLeaf(decodeLeaf(bytes))), toHex(bytes));
        accepted += 1;
      } catch (error) {
        assert.ok(isBonafideError(error));
        assert.match(error.code, /^LEAF_/);
      }
    }),
    { numRuns: 20_000 },
  );
  assert.ok(accepted > 1000);
});

test("every flag, every format byte and every length but the right ones are refused", () => {
  const bytes = encodeLeaf(SAMPLE);
  for (let value = 0; value < 256; value += 1) {
    const flagged = Uint8Array.from(bytes);
    flagged[1] = value;
    if (value <= 3) decodeLeaf(flagged);
    else
      assert.throws(
        () => decodeLeaf(flagged),
        (e) => isBonafideError(e, "LEAF_MALFORMED"),
      );
    const formatted = Uint8Array.from(bytes);
    formatted[0] = value;
    if (value === 1) continue;
    assert.throws(
      () => decodeLeaf(formatted),
      (e) => isBonafideError(e, "LEAF_FORMAT_UNKNOWN"),
    );
  }
  for (const length of [0, 1, 79, 81, 160]) {
    const cut = new Uint8Array(length);
    cut.set(bytes.subarray(0, length));
    assert.throws(
      () => decodeLeaf(cut),
      (e) => isBonafideError(e, "LEAF_MALFORMED"),
    );
  }
});

test("fields out of range are not encoded", () => {
  const wrong: Partial<Leaf>[] = [
    { n: 0 },
    { n: N_MAX + 1 },
    { n: 1.5 },
    { epoch: EPOCH_MAX + 1 },
    { epoch: -1 },
    { prev: 12 },
    { prev: -1 },
    { kind: 65_536 },
    { needs: 256 },
    { time: -1 },
    { time: 2 ** 53 },
    { key: new Uint8Array(15) },
    { commitment: new Uint8Array(33) },
  ];
  for (const over of wrong) {
    assert.throws(() => encodeLeaf({ ...SAMPLE, ...over }), isBonafideError, JSON.stringify(over));
  }
});

test("erasing either part keeps the commitment and forgets salt and bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.boolean(), fc.boolean(), (m, o, em, eo) => {
      const kept = { meta: saltPart(m), object: saltPart(o) };
      const erased = {
        meta: em ? erasePart(kept.meta) : kept.meta,
        object: eo ? erasePart(erasePart(kept.object)) : kept.object,
      };
      const back = decodeBody(encodeBody(erased));
      assert.equal(toHex(commit(back)), toHex(commit(kept)));
      const [meta, object] = [partBytes(back.meta), partBytes(back.object)];
      assert.equal(meta && toHex(meta), em ? undefined : toHex(m));
      assert.equal(object && toHex(object), eo ? undefined : toHex(o));
      if (eo && "salted" in kept.object) {
        assert.ok(!toHex(encodeBody(erased)).includes(toHex(kept.object.salted.subarray(0, 16))));
      }
    }),
  );
});

test("bytes that are no body are refused by code", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      try {
        assert.equal(toHex(encodeBody(decodeBody(bytes))), toHex(bytes));
      } catch (error) {
        assert.ok(isBonafideError(error, "BODY_MALFORMED"));
      }
    }),
    { numRuns: 5000 },
  );
});

test("no two salts are the same, over several pools", () => {
  const salts = new Set<string>();
  for (let i = 0; i < 1000; i += 1) {
    const part = saltPart(new Uint8Array());
    if ("salted" in part) salts.add(toHex(part.salted));
  }
  assert.equal(salts.size, 1000);
});

test("the wire number is exact in every double and ordered by (epoch, n)", () => {
  const place = fc.record({ epoch: fc.nat(EPOCH_MAX), n: fc.nat(N_MAX) });
  fc.assert(
    fc.property(place, place, (a, b) => {
      assert.deepEqual(parseWireNumber(wireNumber(a)), { ...a });
      assert.ok(Number.isSafeInteger(wireNumber(a)));
      const order = Math.sign(a.epoch - b.epoch || a.n - b.n);
      assert.equal(Math.sign(wireNumber(a) - wireNumber(b)), order);
      assert.equal(flooredNumber(a, b), Math.max(wireNumber(a), wireNumber(b)));
    }),
  );
  assert.equal(wireNumber({ epoch: 16, n: 2 }), 16 * 2 ** 36 + 2);
  for (const wrong of [
    { epoch: EPOCH_MAX + 1, n: 0 },
    { epoch: 0, n: N_MAX + 1 },
    { epoch: -1, n: 0 },
    { epoch: 0.5, n: 0 },
  ]) {
    assert.throws(
      () => wireNumber(wrong),
      (e) => isBonafideError(e, "LEDGER_NUMBER_RANGE"),
    );
  }
  for (const wrong of [-1, 1.5, 2 ** 53, Number.NaN]) {
    assert.throws(
      () => parseWireNumber(wrong),
      (e) => isBonafideError(e, "LEDGER_NUMBER_RANGE"),
    );
  }
});
