import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { openMemoryStore } from "./memory-store.ts";
import { storeContract } from "./store-contract.ts";

storeContract("memory", async () => {
  const store = openMemoryStore();
  return { store, dispose: () => store.close() };
});

test("memory: ordered failures come in order, and only once", async () => {
  const store = openMemoryStore();
  store.failNext("STORE_UNAVAILABLE");
  store.failNext("STORE_READ_ONLY", "append");
  await assert.rejects(store.ledger.head(), (e) => isBonafideError(e, "STORE_UNAVAILABLE"));
  const head = await store.ledger.head();
  const { epoch, n, root } = head;
  const empty = { leaves: [], nodes: [], next: { epoch, n, root }, rows: { put: [], removed: [] } };
  await assert.rejects(store.ledger.append(head, empty), (e) =>
    isBonafideError(e, "STORE_READ_ONLY"),
  );
  assert.equal(await store.ledger.append(head, empty), "appended");
});
