import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { openSqliteStore } from "./sqlite-store.ts";

test("the worker runs from a bundle that is named by workerUrl", async () => {
  const folder = mkdtempSync("/tmp/bf-bundle-");
  try {
    const outfile = join(folder, "worker.mjs");
    const entryPoints = [join(import.meta.dirname, "sqlite-worker.ts")];
    const format = { bundle: true, platform: "node", format: "esm" } as const;
    await build({ entryPoints, outfile, ...format });
    const path = join(folder, "ledger.db");
    const store = await openSqliteStore({ path, workerUrl: pathToFileURL(outfile) });
    assert.equal((await store.ledger.head()).n, 0);
    await store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
