import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { PKI_LIMITS } from "../limits.ts";
import { DerReader } from "./der-reader.ts";
import { DerWriter, encode } from "./der-writer.ts";
import { decodeOid, encodeOid } from "./oid.ts";
import { TAG } from "./tags.ts";
import { encodeTime, readTime } from "./time.ts";

const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const malformed = (error: unknown): boolean => isBonafideError(error, "DER_MALFORMED");
const invalid = (error: unknown): boolean => isBonafideError(error, "TEMPLATE_INVALID");

/** Content octets of each number of length octets that DER has here. */
const SIZES = [0, 1, 127, 128, 255, 256, 65_535, 65_536];

suite("DER elements", () => {
  for (const size of SIZES) {
    test(`an element of ${size} octets is read as it was written`, () => {
      const content = new Uint8Array(size).fill(7);
      const element = encode(TAG.octetString, content);
      const reader = new DerReader(element);
      assert.deepEqual(reader.content(TAG.octetString), content);
      reader.finish();
    });
  }

  const refused: Readonly<Record<string, string>> = {
    "nothing at all": "",
    "a tag alone": "30",
    "another tag": "31 00",
    "a tag of several octets": "1f 30 00",
    "an indefinite length": "30 80 00 00",
    "a length not minimal (81 7f)": `30 81 7f ${"00".repeat(127)}`,
    "a length not minimal (81 00)": "30 81 00",
    "a length not minimal (82 00 80)": `30 82 00 80 ${"00".repeat(128)}`,
    "a length not minimal (83 00 ff ff)": `30 83 00 ff ff ${"00".repeat(65_535)}`,
    "a length of four octets": "30 84 00 00 00 01 00",
    "a reserved length": "30 ff",
    "a length cut short": "30 82 01",
    "content cut short": "30 02 05",
  };
  for (const [name, bytes] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      assert.throws(() => new DerReader(hex(bytes)).enter(TAG.sequence), malformed);
    });
  }

  test("refuses trailing bytes at the end of any element", () => {
    const reader = new DerReader(hex("30 04 05 00 05 00 00"));
    const inner = reader.enter(TAG.sequence);
    inner.content(TAG.null);
    assert.throws(() => inner.finish(), malformed);
    assert.throws(() => reader.finish(), malformed);
  });

  test("refuses an element that reaches beyond the one around it", () => {
    const reader = new DerReader(hex("30 02 04 02 00 00"));
    const inner = reader.enter(TAG.sequence);
    assert.throws(() => inner.content(TAG.octetString), malformed);
  });

  test("refuses nesting beyond the limit", () => {
    let nested: Uint8Array = new Uint8Array(0);
    for (let i = 0; i <= PKI_LIMITS.derDepth; i++) nested = encode(TAG.sequence, nested);
    let reader = new DerReader(nested);
    for (let i = 0; i < PKI_LIMITS.derDepth; i++) reader = reader.enter(TAG.sequence);
    assert.throws(() => reader.enter(TAG.sequence), malformed);
  });

  test("peeks without moving, and says -1 at the end", () => {
    const reader = new DerReader(hex("05 00"));
    assert.equal(reader.peek(), TAG.null);
    reader.content(TAG.null);
    assert.equal(reader.peek(), -1);
    assert.equal(reader.more, false);
  });
});

suite("DER values", () => {
  test("of the 256 booleans only 255 is read, as true", () => {
    for (let octet = 0; octet < 256; octet++) {
      const reader = new DerReader(Uint8Array.of(TAG.boolean, 1, octet));
      if (octet === 255) assert.equal(reader.true(), true);
      else assert.throws(() => reader.true(), malformed);
    }
  });

  for (const bytes of ["02 00", "02 01 80", "02 02 00 7f", "02 03 01 00 00", "02 02 ff ff"]) {
    test(`refuses the integer ${bytes}`, () => {
      assert.throws(() => new DerReader(hex(bytes)).unsigned(2), malformed);
    });
  }

  test("reads integers with and without a sign octet", () => {
    assert.deepEqual(new DerReader(hex("02 01 00")).unsigned(2), hex("00"));
    assert.deepEqual(new DerReader(hex("02 02 00 80")).unsigned(2), hex("00 80"));
    assert.equal(new DerReader(hex("02 01 7f")).smallUnsigned(), 127);
  });

  for (const bytes of ["03 00", "03 01 01", "03 02 08 00", "03 02 01 01", "03 05 00 00 00 00 00"]) {
    test(`refuses the named bits ${bytes}`, () => {
      assert.throws(() => new DerReader(hex(bytes)).namedBits(), malformed);
    });
  }

  test("reads named bits from the most significant one", () => {
    assert.equal(new DerReader(hex("03 01 00")).namedBits(), 0);
    assert.equal(new DerReader(hex("03 02 07 80")).namedBits(), 1);
    assert.equal(new DerReader(hex("03 02 01 06")).namedBits(), 0b110_0000);
    assert.equal(new DerReader(hex("03 03 07 00 80")).namedBits(), 1 << 8);
  });

  test("refuses a bit string of broken octets where whole ones are due", () => {
    assert.throws(() => new DerReader(hex("03 02 01 80")).octetBits(), malformed);
    assert.throws(() => new DerReader(hex("03 00")).octetBits(), malformed);
  });
});

suite("object identifiers", () => {
  const known: Readonly<Record<string, string>> = {
    "2.5.29.17": "55 1d 11",
    "1.2.840.10045.4.3.2": "2a 86 48 ce 3d 04 03 02",
    "0.39": "27",
    "2.999.1": "88 37 01",
  };
  for (const [text, bytes] of Object.entries(known)) {
    test(`${text} has the octets of X.690, and is read back`, () => {
      assert.deepEqual(encodeOid(text), hex(bytes));
      assert.equal(decodeOid(hex(bytes), "DER_MALFORMED"), text);
    });
  }
  for (const text of ["", "1", "3.1", "0.40", "1.2.", "1.02.3", "1.-2", "1.2.a", "9".repeat(200)]) {
    test(`refuses to write ${JSON.stringify(text.slice(0, 12))}`, () => {
      assert.throws(() => encodeOid(text), invalid);
    });
  }
  for (const bytes of ["", "80 01", "2a 80 01", "2a 86", `2a${"ff".repeat(63)}7f`]) {
    test(`refuses to read ${bytes.slice(0, 12)}`, () => {
      assert.throws(() => decodeOid(hex(bytes), "DER_MALFORMED"), malformed);
    });
  }
  test("any OID survives writing and reading", () => {
    const arc = fc.bigInt({ min: 0n, max: 2n ** 128n });
    const oid = fc
      .tuple(fc.constantFrom(0, 1, 2), fc.nat(39), fc.array(arc, { maxLength: 2 }))
      .map(([root, second, rest]) => [root, second, ...rest].join("."));
    fc.assert(fc.property(oid, (text) => decodeOid(encodeOid(text), "DER_MALFORMED") === text));
  });
});

function read(tag: number, text: string): number {
  return readTime(new DerReader(encode(tag, new Uint8Array(Buffer.from(text)))));
}

suite("times", () => {
  test("UTCTime covers 1950 to 2049", () => {
    assert.equal(read(TAG.utcTime, "500101000000Z"), Date.UTC(1950, 0, 1));
    assert.equal(read(TAG.utcTime, "491231235959Z"), Date.UTC(2049, 11, 31, 23, 59, 59));
    assert.equal(read(TAG.utcTime, "240229120000Z"), Date.UTC(2024, 1, 29, 12));
  });
  test("GeneralizedTime covers 1950 to 9999", () => {
    assert.equal(read(TAG.generalizedTime, "20500101000000Z"), Date.UTC(2050, 0, 1));
    assert.equal(read(TAG.generalizedTime, "99991231235959Z"), Date.UTC(9999, 11, 31, 23, 59, 59));
  });
  const refused: readonly (readonly [number, string])[] = [
    [TAG.utcTime, "2401010000Z"],
    [TAG.utcTime, "240101000000"],
    [TAG.utcTime, "240101000000+0000"],
    [TAG.utcTime, "230229000000Z"],
    [TAG.utcTime, "241301000000Z"],
    [TAG.utcTime, "240100000000Z"],
    [TAG.utcTime, "240101240000Z"],
    [TAG.utcTime, "240101006000Z"],
    [TAG.utcTime, "240101000060Z"],
    [TAG.utcTime, "2401 1000000Z"],
    [TAG.generalizedTime, "20240101000000.5Z"],
    [TAG.generalizedTime, "19490101000000Z"],
    [TAG.generalizedTime, "00000101000000Z"],
    [TAG.ia5String, "240101000000Z"],
  ];
  for (const [tag, text] of refused) {
    test(`refuses ${tag} ${text}`, () => {
      assert.throws(() => read(tag, text), malformed);
    });
  }
  test("any second from 1950 to 9999 survives writing and reading", () => {
    const second = fc.integer({ min: -631_152_000, max: 253_402_300_799 });
    fc.assert(
      fc.property(second, (at) => readTime(new DerReader(encodeTime(at * 1000))) === at * 1000),
    );
  });
  test("refuses to write what has no place in a certificate", () => {
    for (const ms of [Number.NaN, Infinity, Date.UTC(1949, 11, 31), 253_402_300_800_000]) {
      assert.throws(() => encodeTime(ms), invalid);
    }
  });
});

suite("the writer", () => {
  test("grows, and keeps what was written", () => {
    const writer = new DerWriter(4);
    const blocks = Array.from({ length: 50 }, (_, index) => new Uint8Array(index).fill(index));
    for (const block of blocks.toReversed()) writer.primitive(TAG.octetString, block);
    writer.wrap(TAG.sequence, 0);
    const reader = new DerReader(writer.take()).enter(TAG.sequence);
    for (const block of blocks) assert.deepEqual(reader.content(TAG.octetString), block);
    reader.finish();
  });
  test("begins anew after reset", () => {
    const writer = new DerWriter(4);
    writer.ascii(TAG.ia5String, "abc");
    writer.reset();
    writer.bitString(Uint8Array.of(1));
    assert.deepEqual(writer.take(), hex("03 02 00 01"));
  });
  test("refuses to grow without end", () => {
    assert.throws(() => new DerWriter(16).raw(new Uint8Array(2 ** 21)), invalid);
  });
});
