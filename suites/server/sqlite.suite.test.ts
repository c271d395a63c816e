import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Store } from "@bonafide/plugin-api";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { failureOf, openTestServer, serverSuite, wireIdOf } from "@bonafide/server/testing";
import { openSqliteStore } from "@bonafide/store-sqlite";

const folder = mkdtempSync(join(tmpdir(), "bf-srvsql-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
let count = 0;

function freshPath(): string {
  return join(folder, `${++count}.sqlite`);
}

function open(): Promise<Store> {
  return openSqliteStore({ path: freshPath() });
}

serverSuite("sqlite", open);

test("a ban holds although the file was replaced by a copy from before it, and numbers go on rising", async () => {
  const path = freshPath();
  const copy = `${path}.copy`;
  await using srv = await openTestServer({ store: await openSqliteStore({ path }) });
  const svid = await srv.join();
  const reopened = async (act: () => void): Promise<Store> => {
    await srv.store.close();
    act();
    return openSqliteStore({ path });
  };
  await srv.restart({}, () => reopened(() => copyFileSync(path, copy)));
  await srv.local(Agent).banAgent({ id: wireIdOf(svid) });
  const before = await srv.local(Ledger).head({});
  await srv.restart({}, () =>
    reopened(() => {
      for (const end of ["-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
      copyFileSync(copy, path);
    }),
  );
  const { code } = await failureOf(srv.remote(Agent, svid).postStatus({}));
  assert.equal(code, "AGENT_BANNED");
  const now = await srv.local(Ledger).head({});
  assert.ok(now.wireNumber > before.wireNumber);
  assert.equal(now.heldReason, "");
  const { findings } = await srv.local(Ledger).verify({});
  assert.deepEqual(findings, []);
});
