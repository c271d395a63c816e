import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSignedAt, encodeSignedAt } from "./signed-at.ts";

test("the place of signing has exactly one form in DER", () => {
  const numbers = [0, 1, 127, 128, 255, 256, 32_767, 32_768, 131_071, 2 ** 31, 2 ** 36 - 1];
  for (const epoch of numbers.slice(0, 9)) {
    for (const n of numbers) {
      const der = encodeSignedAt({ epoch, n });
      assert.deepEqual(decodeSignedAt(der), { epoch, n });
      for (let i = 0; i < der.length; i++) {
        assert.equal(decodeSignedAt(der.subarray(0, i)), undefined);
      }
      assert.equal(decodeSignedAt(Uint8Array.from([...der, 0])), undefined);
    }
  }
  assert.deepEqual([...encodeSignedAt({ epoch: 16, n: 200 })], [0x30, 7, 2, 1, 16, 2, 2, 0, 200]);
});

test("any byte changed gives another place or none, and never a crash", () => {
  const der = encodeSignedAt({ epoch: 16, n: 70_000 });
  for (let i = 0; i < der.length; i++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = Uint8Array.from(der);
      changed[i] = byte;
      const read = decodeSignedAt(changed);
      if (read !== undefined) assert.deepEqual(encodeSignedAt(read), changed);
    }
  }
});
