import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SLOTS_FILE_BYTES_MAX } from "./limits.ts";
import { slotsFile } from "./slots-file.ts";

test("slots are kept in a file of the agent's own, and read only from such a one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bf-slf-"));
  try {
    const path = join(folder, "slots.json");
    const file = slotsFile(path);
    assert.deepEqual(await file.read(), []);
    const record = {
      slotId: "s",
      name: "web",
      launcherUid: 0,
      pid: 7,
      uid: 1,
      startTicks: 5n,
      pidfdInode: 9n,
      bootId: "b",
    };
    await file.write([record]);
    assert.deepEqual(await file.read(), [record]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["slots.json"]);
    await chmod(path, 0o606);
    await assert.rejects(file.read(), { code: "AGENT_STATE_INVALID" });
    await chmod(path, 0o600);
    await writeFile(path, "{");
    assert.deepEqual(await file.read(), []);
    await truncate(path, SLOTS_FILE_BYTES_MAX + 1);
    await assert.rejects(file.read(), { code: "AGENT_STATE_INVALID" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
