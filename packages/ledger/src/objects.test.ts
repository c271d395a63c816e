import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import {
  type Actor,
  type AnyObject,
  columnsOf,
  columnsText,
  decodeMeta,
  decodeObject,
  encodeMeta,
  encodeObject,
  isDenial,
  isObjectKind,
  kindName,
  KINDS,
  naturalKeyOf,
  needsOf,
  type NodeObject,
  objectKey,
  objectName,
  toHex,
  understanding,
} from "./index.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const root = new Uint8Array(32).fill(5);
const node: NodeObject = {
  kind: "node",
  spiffeId: "spiffe://example.org/spire/agent/join_token/x",
  attestationType: "join_token",
  selectors: [{ type: "a", value: "b:c" }],
  validFrom: { epoch: 16, n: 2 ** 33 },
  state: "banned",
  canReattest: true,
};
/** One of each kind, with every field set. */
const SAMPLES: readonly AnyObject[] = [
  { kind: "ledger", ledgerId: "00ff", trustDomain: "example.org" },
  {
    kind: "epoch",
    epoch: 16,
    openedAfter: { epoch: 0, n: 2 ** 35, root },
    cause: "rewind",
    incarnation: { system: "abc", timeline: 3 },
    slot: 15,
    abandoned: [{ newest: { epoch: 1, n: 9, root }, leafHashes: [root, root] }],
    missingServers: ["s2"],
  },
  {
    kind: "entry",
    id: "e-1",
    spiffeId: "spiffe://example.org/web",
    parentId: "spiffe://example.org/n",
    selectors: [
      { type: "unix", value: "uid:1" },
      { type: "unix", value: "gid:1" },
    ],
    x509SvidTtlSeconds: 60,
    jwtSvidTtlSeconds: 61,
    federatesWith: ["two.org", "one.org"],
    admin: true,
    downstream: true,
    expiresAtSeconds: 2 ** 40,
    dnsNames: ["a.example.org"],
    storeSvid: true,
    hint: "h",
    createdAtSeconds: 1_795_000_000,
    additionalAttributes: { disableX509SvidPrefetch: true, jwtSvidIncludeJti: false },
    owner: "team",
    labels: { env: "prod" },
  },
  node,
  {
    kind: "joinToken",
    tokenSha256: "ab".repeat(32),
    expiresAtMs: 1_795_000_000_000,
    alias: "spiffe://example.org/alias",
    aliasEntryId: "e-2",
    spent: { node: node.spiffeId, firstKeySha256: root, atMs: 1_795_000_000_001 },
  },
  {
    kind: "authority",
    id: "0a",
    use: "x509",
    server: "s1",
    certificateChain: [bytes(1, 2), bytes(3)],
    publicKey: bytes(4),
    notBeforeMs: 1,
    notAfterMs: 2,
    state: "tainted",
    preparedAtMs: 3,
    activatedAtMs: 4,
    keyId: "x509-a",
  },
  {
    kind: "bundle",
    trustDomain: "two.org",
    jwks: bytes(1),
    sequenceNumber: 2n ** 60n,
    refreshHintSeconds: 300,
    source: "https://two.org/bundle",
  },
  {
    kind: "federation",
    trustDomain: "two.org",
    bundleEndpointUrl: "https://two.org/bundle",
    profile: "https_spiffe",
    endpointSpiffeId: "spiffe://two.org/server",
  },
  {
    kind: "server",
    id: "s1",
    slot: 3,
    logKeys: [{ publicKey: bytes(9), state: "revoked" }],
    version: "0.1",
  },
  { kind: "alarm", id: "u", code: "join_token.other_key", facts: { token: "sha256" } },
  { kind: "setting", name: "finalized", value: "0.1" },
];

/** The same value with byte strings as hexadecimal: a Buffer and a Uint8Array are not deeply equal. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Uint8Array) return `0x${toHex(item)}`;
    if (typeof item === "bigint") return `${item}n`;
    if (isBufferJson(item)) return `0x${toHex(Uint8Array.from(item.data))}`;
    return item;
  });
}
function isBufferJson(item: unknown): item is { readonly data: number[] } {
  return typeof item === "object" && item !== null && "type" in item && item.type === "Buffer";
}

test("every kind with an object comes back from its bytes as it was", () => {
  const kinds = new Set(SAMPLES.map(({ kind }) => kind));
  for (const number of Object.values(KINDS)) {
    const kind = kindName(number);
    if (isObjectKind(kind)) assert.ok(kinds.has(kind), kind);
  }
  for (const object of SAMPLES) {
    const decoded = decodeObject(object.kind, encodeObject(object), { epoch: 16 });
    assert.equal(plain(decoded), plain(object));
    assert.notEqual(naturalKeyOf(object), "");
  }
});

test("bytes that are no message are refused by code, and never crash a decoder", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SAMPLES.map(({ kind }) => kind)),
      fc.uint8Array({ maxLength: 60 }),
      (kind, input) => {
        try {
          decodeObject(kind, input, { epoch: 1 });
        } catch (error) {
          assert.ok(isBonafideError(error, "BODY_MALFORMED"));
        }
      },
    ),
    { numRuns: 5000 },
  );
});

test("an unknown state of a node or of an authority is refused, not read as a harmless one", () => {
  for (const kind of ["node", "authority"] as const) {
    assert.throws(
      () => decodeObject(kind, bytes(), { epoch: 1 }),
      (e) => isBonafideError(e, "BODY_MALFORMED"),
    );
  }
});

test("who and why come back as they were", () => {
  const actors: (Actor | undefined)[] = [
    undefined,
    { via: "tcp", spiffeId: "spiffe://example.org/admin" },
    { via: "admin.sock", uid: 0 },
    { via: "start", server: "s1" },
    { via: "console", person: "p" },
  ];
  for (const actor of actors) {
    const meta = {
      actor,
      cause: "test",
      settles: [{ epoch: 1, n: 2 ** 35, leafHash: root }],
      requestId: bytes(1, 2),
      schema: 1,
    };
    assert.equal(plain(decodeMeta(encodeMeta(meta))), plain(meta));
  }
  assert.throws(
    () => decodeMeta(bytes(255)),
    (e) => isBonafideError(e, "BODY_MALFORMED"),
  );
});

test("what takes something away is a denial, and nothing else", () => {
  const live: NodeObject = { ...node, state: "live", validFrom: undefined };
  const raised: NodeObject = { ...live, validFrom: { epoch: 16, n: 5 } };
  assert.ok(isDenial(undefined, live));
  assert.ok(isDenial({ ...live, state: "banned" }, live));
  assert.ok(isDenial({ ...live, state: "evicted" }, live));
  assert.ok(!isDenial(live, undefined));
  assert.ok(isDenial(raised, live));
  assert.ok(!isDenial(raised, raised));
  assert.ok(isDenial(raised, undefined));
  assert.deepEqual(
    SAMPLES.filter((object) => isDenial(object, undefined)).map(({ kind }) => kind),
    ["node", "joinToken", "authority", "server"],
  );
});

test("a kind or a schema that must be understood and is not stops the reader", () => {
  assert.equal(understanding({ kind: KINDS.entry, needs: 1 }), "adopt");
  assert.equal(understanding({ kind: KINDS.entry, needs: 0 }), "adopt");
  assert.equal(understanding({ kind: KINDS.entry, needs: 2 }), "too-new");
  assert.equal(understanding({ kind: 99, needs: 0 }), "skip");
  assert.equal(understanding({ kind: 99, needs: 1 }), "too-new");
  assert.deepEqual([needsOf("alarm"), needsOf("entry"), needsOf("grant")], [0, 1, 1]);
});

test("pseudonyms depend on secret, kind and name, and their names on both", () => {
  const secret = new Uint8Array(32).fill(7);
  const key = objectKey(secret, 3, "e-1");
  assert.equal(toHex(key), "757f25a4c3bc625e8986af126f03c01f");
  assert.notEqual(toHex(objectKey(secret, 4, "e-1")), toHex(key));
  assert.notEqual(toHex(objectKey(new Uint8Array(32), 3, "e-1")), toHex(key));
  assert.equal(objectName(3, key).length, 17);
  assert.notEqual(objectName(3, key), objectName(4, key));
});

test("columns are sorted sets, so that every store can compare them", () => {
  const [a, b] = ["one.org", "two.org"];
  const entry = SAMPLES[2];
  assert.ok(entry?.kind === "entry");
  const doubled = { ...entry, federatesWith: [b, a, b] };
  const columns = columnsOf(doubled);
  assert.ok(columns.kind === "entry");
  assert.deepEqual(columns.federatesWith, [a, b]);
  assert.deepEqual(columns.selectors, ["unix:gid:1", "unix:uid:1"]);
  assert.equal(columnsText(columns), columnsText(columnsOf(entry)));
});
