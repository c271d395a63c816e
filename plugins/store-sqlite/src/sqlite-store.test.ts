import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { storeContract } from "@bonafide/plugin-api/testing";
import { openSqliteStore } from "./sqlite-store.ts";

storeContract("SQLite", async () => {
  const folder = mkdtempSync("/tmp/bf-sqlite-");
  const store = await openSqliteStore({ path: join(folder, "ledger.db") });
  return {
    store,
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
