import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  columnsText,
  CompactRange,
  type EntryObject,
  equalBytes,
  leafHash,
  type NodeObject,
  type ObjectKind,
  type ProjectionRow,
  sameState,
  subtreeFrom,
} from "@bonafide/ledger";
import type { NodeSoftState, SetMatch } from "../store/read-stores.ts";
import type { Store } from "../store/store.ts";
import { LeafWriter } from "./leaf-writer.ts";

/** What the contract needs of an implementation. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Lets go of everything that was opened. */
  readonly dispose: () => Promise<void>;
}

const TD = "spiffe://example.org";

/**
 * The contract of every store: what `LedgerStore` and the read ports promise. Run it on each implementation.
 *
 * @param name  Comes first in the tests' names.
 * @param open  Makes an empty store.
 */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const fact = (text: string, run: (store: Store, writer: LeafWriter) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      const { store, dispose } = await open();
      try {
        await run(store, new LeafWriter(await store.ledger.head()));
      } finally {
        await dispose();
      }
    });
  };

  fact("is empty when it was just made, with a secret and an id of its own", async (store) => {
    const head = await store.ledger.head();
    assert.deepEqual(
      [head.epoch, head.n, head.ledgerId.length, head.keySecret.length],
      [0, 0, 16, 32],
    );
    assert.ok(equalBytes(head.root, new CompactRange().root()));
    assert.deepEqual(await store.ledger.leavesAfter(0, 10), []);
    assert.deepEqual(await store.ledger.incarnation(), { ...head.openedIn, inRecovery: false });
  });

  fact("what was appended is there: head, leaves in order, rows", async (store, writer) => {
    await write(store, writer, entry("a"), entry("b"));
    await write(store, writer, ["entry", "a"], entry("c"));
    assert.ok(sameState(await store.ledger.head(), writer.head));
    assert.equal((await store.ledger.leavesAfter(0, 10)).length, 4);
    assert.equal((await store.ledger.leavesAfter(1, 2)).length, 2);
    assert.deepEqual(await store.ledger.leavesAfter(4, 10), []);
    assert.equal(await store.entries.byId("a"), undefined);
    assert.equal((await store.entries.byId("c"))?.n, 4);
  });

  fact("an append on another head writes nothing", async (store, writer) => {
    await write(store, writer, entry("a"));
    const stale = new LeafWriter({ ...writer.head, n: 0 });
    const { expected, batch } = stale.batch([entry("b")]);
    for (const wrong of [
      expected,
      { ...expected, n: 1, root: new Uint8Array(32) },
      { ...writer.head, epoch: 1 },
    ]) {
      const next = { ...batch.next, n: wrong.n + 1, epoch: wrong.epoch };
      assert.equal(await store.ledger.append(wrong, { ...batch, next }), "moved");
    }
    assert.equal((await store.ledger.head()).n, 1);
    assert.equal(await store.entries.byId("b"), undefined);
  });

  fact(
    "an append in another incarnation writes nothing, unless it opens an epoch here",
    async (store, writer) => {
      const elsewhere = { system: "another", timeline: 7 };
      const { expected, batch } = writer.batch([entry("a")]);
      assert.equal(await store.ledger.append({ ...expected, openedIn: elsewhere }, batch), "moved");
      const { inRecovery: _, ...openedIn } = await store.ledger.incarnation();
      const opening = new LeafWriter(await store.ledger.head()).batch([entry("a")], {
        epoch: 16,
        openedIn,
      });
      assert.equal(
        await store.ledger.append({ ...opening.expected, openedIn: elsewhere }, opening.batch),
        "appended",
      );
      assert.deepEqual((await store.ledger.head()).openedIn, openedIn);
    },
  );

  fact("a batch that does not continue its head is refused as a mistake", async (store, writer) => {
    const { expected, batch } = writer.batch([entry("a")]);
    const wrong = [
      { ...batch, next: { ...batch.next, n: 2 } },
      { ...batch, next: { ...batch.next, epoch: 3 } },
      { ...batch, leaves: [], next: { ...batch.next, n: 0 } },
    ];
    for (const one of wrong) {
      await assert.rejects(store.ledger.append(expected, one), (e) =>
        isBonafideError(e, "STORE_ARGUMENT"),
      );
    }
  });

  fact("rows alone may be mended on the head as it is", async (store, writer) => {
    await write(store, writer, entry("a"));
    const ref = writer.ref("entry", "a");
    const { epoch, n, root } = writer.head;
    const rows = { put: [], removed: [ref] };
    const next = { epoch, n, root };
    assert.equal(
      await store.ledger.append(writer.head, { leaves: [], nodes: [], next, rows }),
      "appended",
    );
    assert.deepEqual(await store.projections.rowsAfter(undefined, 10), []);
    assert.ok(sameState(await store.ledger.head(), writer.head));
  });

  fact("two appends at once: one is first, the other has moved", async (store, writer) => {
    const first = writer.batch([entry("a")]);
    const second = new LeafWriter(first.expected).batch([entry("b")]);
    const outcomes = await Promise.all([
      store.ledger.append(first.expected, first.batch),
      store.ledger.append(second.expected, second.batch),
    ]);
    assert.deepEqual(outcomes.toSorted(), ["appended", "moved"]);
    assert.equal(await store.entries.count({}), 1);
  });

  fact("the right edge of the tree can be built from kept tile tops", async (store, writer) => {
    for (let i = 0; i < 3; i += 1) {
      const many = Array.from({ length: 200 }, (_, k) => entry(`e-${i}-${k}`));
      await write(store, writer, ...many);
    }
    const tops = await store.ledger.nodes(8, 0, 10);
    assert.deepEqual(
      tops.map(({ level, index }) => [level, index]),
      [
        [8, 0],
        [8, 1],
      ],
    );
    const leaves = await store.ledger.leavesAfter(512, 100);
    const range = CompactRange.from(
      600,
      subtreeFrom(({ level, index }) => {
        if (level === 8) return tops[index]?.hash;
        const leaf = leaves[index - 512];
        return level === 0 && leaf !== undefined ? leafHash(leaf.leaf) : undefined;
      }),
    );
    assert.ok(equalBytes(range.root(), writer.head.root));
  });

  fact(
    "entries are found by id and listed in the order in which they were made",
    async (store, writer) => {
      await write(store, writer, entry("b"), entry("a"), entry("c"));
      await write(store, writer, entry("b", { hint: "new" }), ["entry", "a"]);
      await write(store, writer, entry("a"));
      const listed = await store.entries.list({}, { afterFirstN: 0, limit: 10 });
      assert.deepEqual(
        listed.map(({ object, n, firstN }) => [object.id, n, firstN]),
        [
          ["b", 4, 1],
          ["c", 3, 3],
          ["a", 6, 6],
        ],
      );
      const page = await store.entries.list({}, { afterFirstN: 1, limit: 1 });
      assert.deepEqual(page[0]?.object.id, "c");
      assert.deepEqual((await store.entries.byId("b"))?.object, entry("b", { hint: "new" }));
      assert.equal(await store.entries.byId("z"), undefined);
    },
  );

  fact("entries are filtered by every condition, and by all together", async (store, writer) => {
    const [u1, u2, p] = ["u:1", "u:2", "p:x"];
    await write(
      store,
      writer,
      entry("a", { selectors: [sel(u1)], downstream: true }),
      entry("b", { selectors: [sel(u1), sel(p)], hint: "h", federatesWith: ["two.org"] }),
      entry("c", { selectors: [sel(u2)], federatesWith: ["one.org", "two.org"] }),
      entry("d", { spiffeId: `${TD}/a`, parentId: `${TD}/other`, selectors: [sel(u1)] }),
    );
    const ids = async (filter: Parameters<Store["entries"]["list"]>[0]): Promise<string> => {
      const found = await store.entries.list(filter, { afterFirstN: 0, limit: 100 });
      assert.equal(await store.entries.count(filter), found.length);
      return found.map(({ object }) => object.id).join("");
    };
    assert.equal(await ids({}), "abcd");
    assert.equal(await ids({ spiffeId: `${TD}/a` }), "ad");
    assert.equal(await ids({ parentId: `${TD}/other` }), "d");
    assert.equal(await ids({ hint: "h" }), "b");
    assert.equal(await ids({ hint: "" }), "acd");
    assert.equal(await ids({ downstream: true }), "a");
    assert.equal(await ids({ downstream: false }), "bcd");
    assert.equal(await ids(selectors("exact", u1)), "ad");
    assert.equal(await ids(selectors("exact", p, u1, p)), "b");
    assert.equal(await ids(selectors("subset", u1, p, "z:z")), "abd");
    assert.equal(await ids(selectors("superset", u1)), "abd");
    assert.equal(await ids(selectors("superset", u1, p)), "b");
    assert.equal(await ids(selectors("any", u2, p)), "bc");
    assert.equal(await ids(selectors("any", "z:z")), "");
    assert.equal(await ids(federates("exact", "two.org")), "b");
    assert.equal(await ids(federates("any", "two.org")), "bc");
    assert.equal(await ids(federates("superset", "one.org")), "c");
    assert.equal(await ids(federates("subset", "two.org", "three.org")), "b");
    assert.equal(await ids({ ...selectors("any", u1), spiffeId: `${TD}/a`, hint: "" }), "ad");
    // A word of one list must not be found through another.
    assert.equal(await ids(federates("any", u1)), "");
  });

  fact("filters follow updates and removals", async (store, writer) => {
    await write(store, writer, entry("a", { selectors: [sel("u:1")] }), entry("b"));
    await write(store, writer, entry("a", { selectors: [sel("u:9")] }), ["entry", "b"]);
    const count = (word: string) =>
      store.entries.count({ selectors: { match: "any", words: [word] } });
    assert.deepEqual([await count("u:1"), await count("u:9")], [0, 1]);
    assert.equal(await store.entries.count({ parentId: `${TD}/n` }), 1);
  });

  fact("nodes are listed with their soft state, evicted ones never", async (store, writer) => {
    await write(
      store,
      writer,
      node("n1"),
      node("n2", { state: "banned", attestationType: "x509pop", selectors: [sel("a:b")] }),
      node("n3", { state: "evicted" }),
      node("n4", { canReattest: true }),
    );
    await store.soft.upsertNodes([soft("n1", 100), soft("n4", 900), soft("n3", 1)]);
    const names = async (filter: Parameters<Store["nodes"]["list"]>[0]): Promise<string[]> => {
      const found = await store.nodes.list(filter, { afterFirstN: 0, limit: 100 });
      assert.equal(await store.nodes.count(filter), found.length);
      return found.map(({ object }) => object.spiffeId.slice(-2));
    };
    assert.deepEqual(await names({}), ["n1", "n2", "n4"]);
    assert.deepEqual(await names({ banned: true }), ["n2"]);
    assert.deepEqual(await names({ banned: false }), ["n1", "n4"]);
    assert.deepEqual(await names({ attestationType: "x509pop" }), ["n2"]);
    assert.deepEqual(await names({ canReattest: true }), ["n4"]);
    assert.deepEqual(await names({ expiresBeforeMs: 500 }), ["n1"]);
    assert.deepEqual(await names({ selectors: { match: "any", words: ["a:b"] } }), ["n2"]);
    assert.deepEqual((await store.nodes.byId(node("n1").spiffeId))?.soft, soft("n1", 100));
    assert.equal((await store.nodes.byId(node("n2").spiffeId))?.soft, undefined);
    assert.equal(await store.nodes.byId(node("n3").spiffeId), undefined);
  });

  fact(
    "join tokens are found by hash and by expiry, authorities in order",
    async (store, writer) => {
      await write(store, writer, token("bb", 20), token("aa", 10), token("cc", 30));
      await write(store, writer, authority("02"), authority("01"));
      assert.equal((await store.joinTokens.byHash("aa".repeat(32)))?.object.expiresAtMs, 10);
      assert.equal(await store.joinTokens.byHash("dd".repeat(32)), undefined);
      const expired = await store.joinTokens.expiredBefore(30, 10);
      assert.deepEqual(
        expired.map(({ object }) => object.expiresAtMs),
        [10, 20],
      );
      assert.equal((await store.joinTokens.expiredBefore(99, 1)).length, 1);
      const authorities = await store.authorities.list();
      assert.deepEqual(
        authorities.map(({ object }) => object.id),
        ["02", "01"],
      );
    },
  );

  fact("soft state is replaced whole and makes no leaf", async (store) => {
    await store.soft.upsertNodes([soft("n1", 1), soft("n2", 2)]);
    await store.soft.upsertNodes([soft("n1", 7)]);
    await store.soft.upsertNodes([]);
    assert.deepEqual(await store.soft.nodesAfter("", 10), [soft("n1", 7), soft("n2", 2)]);
    assert.deepEqual(await store.soft.nodesAfter(soft("n1", 7).spiffeId, 10), [soft("n2", 2)]);
    assert.equal((await store.ledger.head()).n, 0);
  });

  fact("rows can be read back as they were written, in pages", async (store, writer) => {
    const objects = [entry("a", { hint: "x" }), node("n1"), entry("b")];
    const { expected, batch } = writer.batch([
      ...objects,
      { kind: "setting", name: "finalized", value: "0.1" },
    ]);
    await store.ledger.append(expected, batch);
    const rows: ProjectionRow[] = [];
    for (let page = await store.projections.rowsAfter(undefined, 2); page.length > 0;) {
      rows.push(...page);
      page = await store.projections.rowsAfter(page.at(-1), 2);
    }
    const text = (list: typeof rows): string[] =>
      list
        .map((row) => `${row.kindNumber} ${row.n} ${row.firstN} ${columnsText(row.columns)}`)
        .toSorted();
    assert.deepEqual(text(rows), text([...batch.rows.put]));
    assert.deepEqual(
      rows.map((row) => row.kindNumber),
      [3, 3, 4, 13],
    );
  });

  fact("an erased part is gone and what is live cannot be erased", async (store, writer) => {
    await write(store, writer, entry("a"));
    await write(store, writer, entry("a", { hint: "2" }));
    await store.ledger.erase([{ n: 1, meta: false, object: true }]);
    const [first, second] = await store.ledger.leavesAfter(0, 2);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.body[0], 2);
    assert.ok(first.body.length < second.body.length);
    await assert.rejects(
      store.ledger.erase([
        { n: 1, meta: true, object: false },
        { n: 2, meta: false, object: true },
      ]),
      (e) => isBonafideError(e, "STORE_ERASE_LIVE"),
    );
    assert.equal((await store.ledger.leavesAfter(0, 1))[0]?.body[0], 2, "all or nothing");
    await store.ledger.erase([{ n: 2, meta: true, object: false }]);
    assert.equal((await store.entries.byId("a"))?.object.hint, "2");
    assert.ok(sameState(await store.ledger.head(), writer.head));
  });

  fact("watchers hear of appends until they stop", async (store, writer) => {
    let heard = 0;
    const stop = store.ledger.watch(() => {
      heard += 1;
    });
    await write(store, writer, entry("a"));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.equal(heard, 1);
    stop();
    await write(store, writer, entry("b"));
    assert.equal(heard, 1);
  });

  fact("pages and filters out of bounds are refused", async (store) => {
    await refused(store.ledger.leavesAfter(0, 0));
    await refused(store.ledger.leavesAfter(0, 10_001));
    await refused(store.entries.list({}, { afterFirstN: 0, limit: 1.5 }));
    await refused(store.entries.count({ selectors: { match: "any", words: [] } }));
    const words = Array.from({ length: 1001 }, (_, i) => `u:${i}`);
    await refused(store.nodes.count({ selectors: { match: "any", words } }));
    await refused(store.projections.rowsAfter(undefined, 0));
    await refused(store.soft.upsertNodes(Array.from({ length: 10_001 }, () => soft("n", 1))));
  });

  fact("everything is there after a reopening", async (store, writer) => {
    await write(store, writer, entry("a"));
    await store.reopen();
    assert.ok(sameState(await store.ledger.head(), writer.head));
    await write(store, writer, entry("b"));
    assert.equal(await store.entries.count({}), 2);
  });

  fact("a closed store refuses everything, and closing again is no error", async (store) => {
    await store.close();
    await store.close();
    await assert.rejects(store.ledger.head(), (e) => isBonafideError(e, "STORE_CLOSED"));
    await assert.rejects(store.entries.count({}), (e) => isBonafideError(e, "STORE_CLOSED"));
  });
}

const write = async (
  store: Store,
  writer: LeafWriter,
  ...changes: Parameters<LeafWriter["batch"]>[0]
): Promise<void> => {
  const { expected, batch } = writer.batch(changes);
  assert.equal(await store.ledger.append(expected, batch), "appended");
};

const selectors = (match: SetMatch["match"], ...words: string[]) => ({
  selectors: { match, words },
});

const federates = (match: SetMatch["match"], ...words: string[]) => ({
  federatesWith: { match, words },
});

const token = (hash: string, expiresAtMs: number) =>
  ({
    kind: "joinToken",
    tokenSha256: hash.repeat(32),
    expiresAtMs,
    alias: "",
    aliasEntryId: "",
    spent: undefined,
  }) as const;

const authority = (id: string) =>
  ({
    kind: "authority",
    id,
    use: "x509",
    server: "s",
    certificateChain: [],
    publicKey: new Uint8Array([1]),
    notBeforeMs: 1,
    notAfterMs: 2,
    state: "prepared",
    preparedAtMs: 1,
    activatedAtMs: 0,
    keyId: "k",
  }) as const;

const refused = (call: Promise<unknown>): Promise<void> =>
  assert.rejects(call, (e) => isBonafideError(e, "STORE_ARGUMENT"));

function sel(word: string): { readonly type: string; readonly value: string } {
  const colon = word.indexOf(":");
  return { type: word.slice(0, colon), value: word.slice(colon + 1) };
}

function entry(id: string, over: Partial<EntryObject> = {}): EntryObject {
  return {
    kind: "entry",
    id,
    spiffeId: `${TD}/${id}`,
    parentId: `${TD}/n`,
    selectors: [sel("unix:uid:1")],
    x509SvidTtlSeconds: 60,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtSeconds: 0,
    dnsNames: ["a.example.org"],
    storeSvid: false,
    hint: "",
    createdAtSeconds: 1_795_000_000,
    additionalAttributes: undefined,
    owner: "team",
    labels: { env: "test" },
    ...over,
  };
}

function node(name: string, over: Partial<NodeObject> = {}): NodeObject {
  return {
    kind: "node" satisfies ObjectKind,
    spiffeId: `${TD}/spire/agent/join_token/${name}`,
    attestationType: "join_token",
    selectors: [],
    validFrom: undefined,
    state: "live",
    canReattest: false,
    ...over,
  };
}

function soft(name: string, expiresAtMs: number): NodeSoftState {
  const { spiffeId } = node(name);
  return { spiffeId, lastSeenAtMs: 5, serialNumber: "17", expiresAtMs, agentVersion: "0.1" };
}
