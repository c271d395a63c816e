import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  CompactRange,
  consistencyPath,
  EMPTY_ROOT,
  fromHex,
  inclusionPath,
  isStoredLevel,
  leafHash,
  nodeHash,
  rangeHash,
  subtreeFrom,
  toHex,
  verifyConsistency,
  verifyInclusion,
} from "./index.ts";

/** The public vectors of RFC 6962: leaf inputs and the roots of the first 1 to 8 of them. */
const VECTORS = [
  ["", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
  ["00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
  ["10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
  ["2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
  ["3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
  ["40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
  ["5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
  [
    "606162636465666768696a6b6c6d6e6f",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ],
] as const;

function half(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}
/** The definitions of RFC 6962 §2.1, word for word. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return EMPTY_ROOT;
  if (hashes.length === 1) return only;
  const k = half(hashes.length);
  return nodeHash(naiveRoot(hashes.slice(0, k)), naiveRoot(hashes.slice(k)));
}
function naivePath(m: number, hashes: readonly Uint8Array[]): Uint8Array[] {
  if (hashes.length <= 1) return [];
  const k = half(hashes.length);
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)];
  return m < k
    ? [...naivePath(m, left), naiveRoot(right)]
    : [...naivePath(m - k, right), naiveRoot(left)];
}
function naiveSubproof(m: number, hashes: readonly Uint8Array[], known: boolean): Uint8Array[] {
  if (m === hashes.length) return known ? [] : [naiveRoot(hashes)];
  const k = half(hashes.length);
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)];
  return m <= k
    ? [...naiveSubproof(m, left, known), naiveRoot(right)]
    : [...naiveSubproof(m - k, right, false), naiveRoot(left)];
}

const leaves = Array.from({ length: 700 }, (_, i) =>
  leafHash(new TextEncoder().encode(`leaf ${i}`)),
);
const stored = new Map<string, Uint8Array>();
{
  const range = new CompactRange();
  for (const leaf of leaves) {
    range.append(leaf, ({ level, index }, hash) => {
      if (isStoredLevel(level)) stored.set(`${level}/${index}`, hash);
    });
  }
}
const roots = Array.from({ length: 701 }, (_, size) => naiveRoot(leaves.slice(0, size)));
/** What a store can answer: leaf hashes and the tops of full tiles only. */
const subtree = subtreeFrom(({ level, index }) =>
  level === 0 ? leaves[index] : stored.get(`${level}/${index}`),
);
const hex = (list: readonly Uint8Array[]): string[] => list.map(toHex);
const leafAt = (i: number): Uint8Array => leaves[i] ?? EMPTY_ROOT;
const rootOf = (size: number): Uint8Array => roots[size] ?? EMPTY_ROOT;

test("RFC 6962 §2.1: the public roots of the eight known leaves", () => {
  const range = new CompactRange();
  assert.equal(
    toHex(range.root()),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  for (const [leaf, root] of VECTORS) {
    range.append(leafHash(fromHex(leaf)));
    assert.equal(toHex(range.root()), root);
  }
});

test("the compact range equals the definition for all sizes to 700, from appends and tile tops", () => {
  const range = new CompactRange();
  for (let size = 0; size <= 700; size += 1) {
    assert.equal(toHex(range.root()), toHex(rootOf(size)));
    assert.equal(toHex(CompactRange.from(size, subtree).root()), toHex(rootOf(size)));
    assert.equal(range.size, size);
    if (size < 700) range.append(leafAt(size));
  }
});

test("a clone that is thrown away changes nothing", () => {
  const range = CompactRange.from(300, subtree);
  const clone = range.clone();
  clone.append(leafAt(300));
  assert.equal(toHex(range.root()), toHex(rootOf(300)));
  assert.equal(toHex(clone.root()), toHex(rootOf(301)));
});

test("RFC 6962 §2.1.1: inclusion equals the definition, and any change is refused", () => {
  const sizes = [
    ...Array.from({ length: 130 }, (_, i) => i + 1),
    255,
    256,
    257,
    511,
    512,
    513,
    700,
  ];
  for (const size of sizes) {
    for (let index = 0; index < size; index += size > 130 ? 37 : 1) {
      const path = inclusionPath(index, size).map((range) => rangeHash(range, subtree));
      assert.deepEqual(hex(path), hex(naivePath(index, leaves.slice(0, size))));
      const proof = { index, size, hash: leafAt(index), path, root: rootOf(size) };
      assert.ok(verifyInclusion(proof));
      assert.ok(!verifyInclusion({ ...proof, path: [...path, EMPTY_ROOT] }));
      assert.ok(!verifyInclusion({ ...proof, hash: EMPTY_ROOT }));
      assert.ok(!verifyInclusion({ ...proof, index: size }));
      if (path.length > 0) assert.ok(!verifyInclusion({ ...proof, path: path.slice(1) }));
      if (index > 0) assert.ok(!verifyInclusion({ ...proof, index: index - 1 }));
    }
  }
});

test("RFC 6962 §2.1.2: consistency equals the definition, and any change is refused", () => {
  const pairs: [number, number][] = [];
  for (let second = 0; second <= 70; second += 1) {
    for (let first = 0; first <= second; first += 1) pairs.push([first, second]);
  }
  for (const second of [255, 256, 257, 512, 513, 700]) {
    for (let first = 1; first <= second; first += 31) pairs.push([first, second]);
  }
  for (const [first, second] of pairs) {
    const path = consistencyPath(first, second).map((range) => rangeHash(range, subtree));
    if (first > 0) {
      assert.deepEqual(hex(path), hex(naiveSubproof(first, leaves.slice(0, second), true)));
    }
    const proof = { first, second, firstRoot: rootOf(first), secondRoot: rootOf(second), path };
    assert.ok(verifyConsistency(proof));
    assert.ok(!verifyConsistency({ ...proof, path: [...path, EMPTY_ROOT] }));
    assert.ok(!verifyConsistency({ ...proof, first: second + 1 }));
    if (first === 0 || first === second) continue;
    assert.ok(!verifyConsistency({ ...proof, firstRoot: EMPTY_ROOT }));
    assert.ok(!verifyConsistency({ ...proof, secondRoot: EMPTY_ROOT }));
    assert.ok(!verifyConsistency({ ...proof, path: path.slice(1) }));
  }
});

test("proofs of what the tree does not have are refused", () => {
  for (const [index, size] of [
    [0, 0],
    [5, 5],
    [-1, 5],
  ] as const) {
    assert.throws(
      () => inclusionPath(index, size),
      (e) => isBonafideError(e, "PROOF_RANGE"),
    );
  }
  assert.throws(
    () => consistencyPath(6, 5),
    (e) => isBonafideError(e, "PROOF_RANGE"),
  );
});
