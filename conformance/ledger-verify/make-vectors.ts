import {
  CompactRange,
  commit,
  decodeBody,
  encodeBody,
  encodeLeaf,
  erasePart,
  fromHex,
  type Leaf,
  leafHash,
  objectKey,
  toHex,
  wireNumber,
} from "@bonafide/ledger";

/** A leaf with its byte strings in hexadecimal. */
function plain(leaf: Leaf): object {
  return { ...leaf, key: toHex(leaf.key), commitment: toHex(leaf.commitment) };
}

const secret = new Uint8Array(32).fill(7);
const sample: Leaf = {
  kind: 3,
  needs: 1,
  tombstone: false,
  reappended: false,
  epoch: 1,
  n: 12,
  time: 1_795_000_000_000,
  prev: 7,
  key: objectKey(secret, 3, "e-1"),
  commitment: new Uint8Array(32).fill(9),
};

function leafVectors(): object[] {
  const right: Leaf[] = [
    sample,
    { ...sample, tombstone: true },
    { ...sample, reappended: true, needs: 255 },
    { ...sample, epoch: 131_071, n: 2 ** 36 - 1, prev: 2 ** 36 - 2 },
    { ...sample, kind: 65_535, n: 1, prev: 0, epoch: 0, time: 0 },
    { ...sample, time: 2 ** 53 - 1 },
  ];
  const bytes = toHex(encodeLeaf(sample));
  const at = (offset: number, hex: string): string =>
    bytes.slice(0, offset * 2) + hex + bytes.slice(offset * 2 + hex.length);
  const wrong = [
    bytes.slice(0, 158),
    `${bytes}00`,
    at(0, "02"),
    at(1, "04"),
    at(5, "020000"),
    at(8, "0000000000000000"),
    at(8, "0000001000000000"),
    at(16, "0020000000000000"),
    at(24, "000000000000000c"),
  ];
  return [
    ...right.map((leaf) => ({ hex: toHex(encodeLeaf(leaf)), leaf: plain(leaf) })),
    ...wrong.map((hex) => ({ hex, leaf: null })),
  ];
}

function bodyVectors(): object[] {
  const meta = { salted: fromHex(`${"11".repeat(16)}0a0b`) };
  const object = { salted: fromHex(`${"22".repeat(16)}0c0d0e`) };
  const empty = { salted: fromHex("33".repeat(16)) };
  const bodies = [
    { meta, object },
    { meta: erasePart(meta), object },
    { meta, object: erasePart(object) },
    { meta: erasePart(meta), object: erasePart(object) },
    { meta, object: empty },
  ];
  return bodies.map((body) => {
    const bytes = encodeBody(body);
    return { body: toHex(bytes), commitment: toHex(commit(decodeBody(bytes))) };
  });
}

/** The inputs of the tree are those of the public RFC 6962 vectors, whose roots a test knows by heart. */
const TREE_INPUTS = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];

function rootVectors(): object[] {
  const range = new CompactRange();
  const roots: object[] = [{ leaf: null, root: toHex(range.root()) }];
  for (const leaf of TREE_INPUTS) {
    range.append(leafHash(fromHex(leaf)));
    roots.push({ leaf, root: toHex(range.root()) });
  }
  return roots;
}

/** The vectors of `vectors.json`; the same for ever. */
export function makeVectors(): object {
  const keys = [
    [3, "e-1"],
    [4, "spiffe://example.org/spire/agent/join_token/ü"],
    [2, "epoch/16"],
  ] as const;
  const places = [
    [0, 0],
    [1, 0],
    [16, 2],
    [131_071, 2 ** 36 - 1],
  ] as const;
  return {
    leaves: leafVectors(),
    keys: keys.map(([kind, naturalKey]) => ({
      secret: toHex(secret),
      kind,
      naturalKey,
      key: toHex(objectKey(secret, kind, naturalKey)),
    })),
    bodies: bodyVectors(),
    numbers: places.map(([epoch, n]) => ({ epoch, n, number: wireNumber({ epoch, n }) })),
    roots: rootVectors(),
  };
}
