import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, rmSync, statSync, truncateSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isBonafideError } from "@bonafide/errors";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { openX509Source, type X509Source } from "@bonafide/spiffe";
import { CLI, Plane, until } from "./plane.ts";

const OPTIONS = { timeout: 300_000 };
const UID = process.getuid?.() ?? 0;
const OTHER_UID = 61_290;

/** Why nobody whom files can be closed to can run a server here. */
function whyNoOtherUser(): string | false {
  if (UID !== 0) return "needs root, to be another user";
  const { status } = spawnSync("test", ["-r", CLI], { uid: OTHER_UID, cwd: "/" });
  return status === 0 ? false : "needs a checkout that other users can read";
}

/** A plane with one entry for this very process, and a source that has its SVID. */
async function openServed(
  stack: AsyncDisposableStack,
  options: { readonly uid?: number; readonly ttl?: number } = {},
): Promise<{ readonly plane: Plane; readonly source: X509Source }> {
  const plane = stack.use(await Plane.open(options));
  await plane.start();
  await plane.entry("/self", `unix:uid:${UID}`, { ttl: options.ttl ?? 10 });
  const source = stack.use(await openX509Source({ address: `unix://${plane.workloadSocket}` }));
  return { plane, source };
}

/** Waits until the source holds an SVID that was signed after now. */
async function renewed(source: X509Source): Promise<void> {
  const before = source.current().notAfter;
  await until("a newer SVID", () => source.current().notAfter > before + 1000);
}

/** A copy of the store of a server that does not run. */
function copyStore(plane: Plane, from: string, to: string): void {
  for (const end of ["", "-wal", "-shm"]) {
    rmSync(plane.path("server", `${to}${end}`), { force: true });
    const path = plane.path("server", `${from}${end}`);
    if (existsSync(path)) copyFileSync(path, plane.path("server", `${to}${end}`));
  }
}

const head = (
  plane: Plane,
): Promise<{ readonly wireNumber: bigint; readonly heldReason: string }> =>
  plane.local(Ledger).head({});

async function assertClean(plane: Plane): Promise<void> {
  assert.match(JSON.stringify(await plane.command("ledger", "verify")), /"clean":true/);
}

test(
  "a store replaced by an older copy while the server was dead: nothing acknowledged is lost, numbers rise",
  OPTIONS,
  async () => {
    await using stack = new AsyncDisposableStack();
    const { plane, source } = await openServed(stack);
    await plane.server.kill();
    copyStore(plane, "ledger.sqlite", "older");
    await plane.served(plane.startServer(), "server");
    await plane.entry("/later", "unix:uid:1");
    const before = await head(plane);
    await plane.server.kill();
    copyStore(plane, "older", "ledger.sqlite");
    await plane.served(plane.startServer(), "server");
    assert.ok((await plane.entryPaths()).has("/later"));
    const now = await head(plane);
    assert.ok(now.wireNumber > before.wireNumber);
    assert.equal(now.heldReason, "");
    await assertClean(plane);
    await renewed(source);
  },
);

test(
  "a store that was cut off is refused or mended, and never believed; put back, all goes on",
  OPTIONS,
  async () => {
    await using stack = new AsyncDisposableStack();
    const { plane, source } = await openServed(stack);
    for (let i = 0; i < 20; i++) await plane.entry(`/many/${i}`, "unix:uid:1");
    assert.equal((await plane.server.stop()).code, 0);
    copyStore(plane, "ledger.sqlite", "whole");
    const path = plane.path("server", "ledger.sqlite");
    const { size } = statSync(path);
    for (const part of [0.25, 0.6]) {
      copyStore(plane, "whole", "ledger.sqlite");
      truncateSync(path, Math.floor((size * part) / 4096) * 4096);
      const program = plane.startServer();
      if ((await program.ready) === undefined) {
        assert.notEqual((await program.ended).code, 0);
        assert.match(plane.logOf("server"), /STORE_CORRUPT/);
      } else {
        assert.equal((await plane.entryPaths()).size, 21);
        await assertClean(plane);
        await program.stop();
      }
    }
    copyStore(plane, "whole", "ledger.sqlite");
    await plane.served(plane.startServer(), "server");
    await assertClean(plane);
    await renewed(source);
  },
);

test(
  "an emptied store is held, with the command that settles it; SVIDs go on meanwhile",
  OPTIONS,
  async () => {
    await using stack = new AsyncDisposableStack();
    const { plane, source } = await openServed(stack);
    await plane.server.kill();
    for (const end of ["-wal", "-shm"]) {
      rmSync(plane.path("server", `ledger.sqlite${end}`), { force: true });
    }
    truncateSync(plane.path("server", "ledger.sqlite"), 0);
    await plane.served(plane.startServer(), "server");
    assert.match((await head(plane)).heldReason, /\S/);
    await assert.rejects(plane.entry("/refused", "unix:uid:1"), (error) => {
      assert.match(String(error), /accept-rewind/);
      return true;
    });
    await renewed(source);
  },
);

test(
  "a store that may only be read: the server says so and ends, or serves what it knows; made writable, all goes on",
  { ...OPTIONS, skip: whyNoOtherUser() },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { plane } = await openServed(stack, { uid: OTHER_UID });
    assert.equal((await plane.server.stop()).code, 0);
    const path = plane.path("server", "ledger.sqlite");
    chmodSync(path, 0o400);
    const program = plane.startServer();
    if ((await program.ready) === undefined) {
      assert.notEqual((await program.ended).code, 0);
      assert.match(plane.logOf("server"), /STORE_[A-Z_]+/);
    } else {
      await assert.rejects(plane.entry("/refused", "unix:uid:1"));
      await program.stop();
    }
    chmodSync(path, 0o600);
    await plane.served(plane.startServer(), "server");
    await plane.entry("/taken", "unix:uid:1");
    await assertClean(plane);
  },
);

test(
  "a full disk under a running server: writes say come again, SVIDs go on, and with room so do writes",
  OPTIONS,
  async () => {
    await using stack = new AsyncDisposableStack();
    const { plane, source } = await openServed(stack);
    // No file may grow beyond what even the smallest one of the server has: every write to a file fails.
    limitFiles(plane.server.pid, "4096");
    await assert.rejects(plane.entry("/refused", "unix:uid:1"), (error) => {
      assert.ok(!isBonafideError(error) || error.retry, String(error));
      return true;
    });
    await renewed(source);
    assert.ok(plane.server.isRunning);
    limitFiles(plane.server.pid, "unlimited");
    await until("writes again", () =>
      plane.entry("/taken", "unix:uid:1").then(
        () => true,
        () => false,
      ),
    );
    await assertClean(plane);
    await plane.server.kill();
    await plane.served(plane.startServer(), "server");
    assert.ok((await plane.entryPaths()).has("/taken"));
    await assertClean(plane);
  },
);

test(
  "a server that hangs for longer than an SVID lives: streams stay or come back, and all is fresh soon after",
  OPTIONS,
  async () => {
    await using stack = new AsyncDisposableStack();
    const { plane, source } = await openServed(stack);
    plane.server.signal("SIGSTOP");
    await sleep(14_000); // what is tried is time itself: longer than the SVID lives
    assert.ok(source.current().notAfter < Date.now(), "it had to expire");
    plane.server.signal("SIGCONT");
    await until("a valid SVID", () => source.current().notAfter > Date.now());
    assert.ok(plane.server.isRunning && plane.agent.isRunning);
  },
);

/** Sets the largest size of a file that a process may write, bytes: a full disk without a disk. */
function limitFiles(pid: number, bytes: string): void {
  execFileSync("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:unlimited`]);
}
