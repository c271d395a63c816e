import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import { BY_TEST } from "../lane/testing/sample-objects.ts";
import { openLedger } from "../memory/open-ledger.ts";
import { revocation, tainting } from "./authority-changes.ts";
import { type ForeignKey, mirroring } from "./upstream-changes.ts";

const ROOT: ForeignKey = {
  use: "x509",
  id: "aa",
  certificate: Uint8Array.of(1),
  publicKey: Uint8Array.of(7),
  notBeforeMs: 0,
  notAfterMs: 1000,
  tainted: false,
};
const OPTIONS = { now: 1, askedAt: 1, serverId: "s", announced: new Set<string>() };

test("a root that was revoked here and is renewed above stays revoked for as long as the new one lasts", async () => {
  const folder = mkdtempSync("/tmp/bf-upstream-");
  const ledger = await openLedger(
    { store: openMemoryStore(), clock: new ManualClock() },
    { trustDomain: "example.org", serverId: "s", memoryDir: folder, version: "0.1" },
  );
  try {
    const follow = (key: ForeignKey): Promise<unknown> =>
      ledger.lane.submit(mirroring({ keys: [key], isWhole: true }, OPTIONS), BY_TEST);
    const held = (): unknown[] => {
      const root = ledger.registry.find("authority", "x509/aa")?.object;
      return [root?.state, root?.notAfterMs];
    };
    await follow(ROOT);
    assert.deepEqual(held(), ["old", 1000]);
    await ledger.lane.submit(tainting("x509", "aa"), BY_TEST);
    await ledger.lane.submit(revocation("x509", "aa"), BY_TEST);
    await follow({ ...ROOT, certificate: Uint8Array.of(2), notAfterMs: 5000 });
    assert.deepEqual(held(), ["revoked", 5000]);
    await follow(ROOT);
    assert.deepEqual(held(), ["revoked", 5000]);
    await follow({ ...ROOT, publicKey: Uint8Array.of(8), notAfterMs: 9000 });
    assert.deepEqual(held(), ["revoked", 5000]);
  } finally {
    await ledger[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});
