import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { keyManagerContract } from "@bonafide/plugin-api/testing";
import { createMemoryKeyManager } from "./index.ts";

keyManagerContract("memory", async () => createMemoryKeyManager());

test("keys die with their manager, and a signer taken before signs no more", async () => {
  const keys = createMemoryKeyManager();
  const key = await keys.generate("a", "ec-p256");
  const signer = keys.signer(key);
  assert.ok(signer.sign(new Uint8Array(1)).length > 0);
  await keys.close();
  assert.throws(
    () => signer.sign(new Uint8Array(1)),
    (error) => isBonafideError(error, "KEY_MANAGER_CLOSED"),
  );
});
