import assert from "node:assert/strict";
import { test } from "node:test";
import { huffmanBytes, walkHuffman, writeHuffman } from "./huffman.ts";
import { patchHeaderBlock } from "./patch-block.ts";
import { HpackEncoder } from "./testing/hpack-encoder.ts";
import { Seeded } from "./testing/seeded.ts";

const LEGAL = /^[!$%&'()*+,\-.0-9:;=A-Z[\]_a-z~]*$/;

function decode(coded: Buffer): string {
  const symbols: number[] = [];
  assert.ok(walkHuffman(coded, 0, coded.length, (symbol) => symbols.push(symbol)));
  return Buffer.from(symbols).toString("latin1");
}

function code(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const coded = Buffer.alloc(huffmanBytes(bytes));
  writeHuffman(coded, 0, coded.length, bytes);
  return coded;
}

test("RFC 7541 C.4.1: the Huffman code of www.example.com is the published one", () => {
  assert.equal(code("www.example.com").toString("hex"), "f1e3c2e5f23a6ba0ab90f4ff");
  assert.equal(decode(Buffer.from("f1e3c2e5f23a6ba0ab90f4ff", "hex")), "www.example.com");
});

test("every byte survives the Huffman code", () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("latin1");
  assert.equal(decode(code(all)), all);
});

test("padding of 8 bits or with a zero bit is no Huffman code", () => {
  assert.equal(
    walkHuffman(Buffer.from([0xff]), 0, 1, () => {}),
    false,
  );
  assert.equal(
    walkHuffman(Buffer.from([0x00]), 0, 1, () => {}),
    false,
  );
});

for (const coded of [false, true]) {
  for (const text of [
    "/tmp/a.sock",
    "/run/spire/agent/public/api.sock",
    "a b#{}|^<>",
    "/tmp/\u00fc",
  ]) {
    test(`a ${coded ? "coded" : "raw"} ${text} becomes legal and keeps both lengths`, () => {
      const block = new HpackEncoder().encode(":authority", text, { coded, indexed: true });
      const size = block.length;
      assert.equal(patchHeaderBlock(block), 1);
      assert.equal(block.length, size);
      const body = block.subarray(2);
      const value = coded ? decode(body) : body.toString("latin1");
      assert.equal(value.length, Buffer.byteLength(text));
      assert.match(value, LEGAL);
    });

    test(`a ${coded ? "coded" : "raw"} ${text} after a literal name is patched as well`, () => {
      const encoder = new HpackEncoder();
      const name = encoder
        .encode("x", ":authority", { coded, indexed: false })
        .subarray(coded ? 3 : 3);
      const value = encoder.encode("x", text, { coded, indexed: false }).subarray(coded ? 3 : 3);
      const block = Buffer.concat([Buffer.from([0x40]), name, value]);
      assert.equal(patchHeaderBlock(block), 1);
    });
  }
}

test("a legal value is not touched, be it coded or raw", () => {
  for (const coded of [false, true]) {
    const block = new HpackEncoder().encode(":authority", "localhost:443", {
      coded,
      indexed: true,
    });
    const before = Buffer.from(block);
    assert.equal(patchHeaderBlock(block), 0);
    assert.deepEqual(block, before);
  }
});

test("other headers keep bytes that an authority may not have", () => {
  const block = new HpackEncoder().encode(":path", "/a/b", { coded: false, indexed: true });
  const before = Buffer.from(block);
  assert.equal(patchHeaderBlock(block), 0);
  assert.deepEqual(block, before);
});

test("mutated blocks never throw and never write outside (seed 7, 40000 blocks)", () => {
  const random = new Seeded(7);
  const bases: [Buffer, Buffer] = [
    Buffer.from(`838644012f410b${Buffer.from("/tmp/a.sock").toString("hex")}`, "hex"),
    Buffer.from(`400a${Buffer.from(":authority").toString("hex")}052f746d702f`, "hex"),
  ];
  let patched = 0;
  for (let round = 0; round < 40_000; round++) {
    const block =
      round % 3 === 0 ? random.bytes(random.below(60)) : Buffer.from(random.pick(bases));
    for (let n = random.below(4); n > 0 && block.length > 0; n--) {
      block[random.below(block.length)] = random.below(256);
    }
    const framed = Buffer.concat([Buffer.alloc(3, 0x2f), block, Buffer.alloc(3, 0x2f)]);
    patched += patchHeaderBlock(framed.subarray(3, 3 + block.length));
    const outside = Buffer.concat([framed.subarray(0, 3), framed.subarray(-3)]);
    assert.deepEqual(outside, Buffer.alloc(6, 0x2f));
  }
  assert.ok(patched > 1000, `${patched} patched`);
});
