import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { BonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import { openKernel, UnixPeer } from "@bonafide/unix-peer";
import { withoutCalls } from "@bonafide/unix-peer/testing";
import { launcherAttestor } from "./launcher-attestor.ts";
import { LauncherSlots } from "./launcher-slots.ts";
import { WAITING_PER_UID_MAX } from "./limits.ts";
import { LauncherBench } from "./testing/launcher-bench.ts";

const kernel = await openKernel();
const node = process.execPath;

for (const missing of [[], ["SO_PEERPIDFD"], ["PIDFD_GET_INFO"]] as const) {
  const name = missing.length === 0 ? "all calls" : `no ${missing.join()}`;
  test(`${name}: a launched process keeps its pid and is known by its name`, async () => {
    await using bench = await LauncherBench.open({ kernel: withoutCalls(kernel, missing) });
    const launched = await bench.launch("demo/greeter", [node, "-e", bench.workloadScript]);
    await launched.named;
    const workload = await bench.nextWorkload();
    assert.equal(workload.caller().pid, launched.process.pid);
    assert.deepEqual(bench.find(workload), {
      slotId: launched.slotId,
      name: "demo/greeter",
      launcherUid: process.geteuid?.(),
    });
    bench.stranger();
    assert.equal(bench.find(await bench.nextWorkload()), undefined);
  });
}

test("a child of the session has the name, one in a session of its own has not", async () => {
  await using bench = await LauncherBench.open();
  const script = '"$0" -e "$1" & setsid "$0" -e "$1" & wait';
  const launched = await bench.launch("a", ["sh", "-c", script, node, bench.workloadScript]);
  await launched.named;
  const both = [await bench.nextWorkload(), await bench.nextWorkload()];
  const names = both.map((workload) => String(bench.find(workload)?.name));
  assert.deepEqual(
    names.toSorted((a, b) => a.localeCompare(b)),
    ["a", "undefined"],
  );
  for (const workload of both) process.kill(workload.caller().pid, "SIGKILL");
});

test("members born before the leader ended keep the name, until the last has ended", async () => {
  await using bench = await LauncherBench.open();
  const script = '"$0" -e "$1" & wait';
  const launched = await bench.launch("a", ["sh", "-c", script, node, bench.workloadScript]);
  await launched.named;
  const workload = await bench.nextWorkload();
  assert.equal(bench.find(workload)?.name, "a");
  launched.process.kill("SIGKILL");
  await launched.ended;
  await bench.slots.sweep();
  assert.equal(bench.find(workload)?.name, "a");
  const { pid } = workload.caller();
  const caller = {
    pid,
    pidfdInode: workload.caller().pidfdInode,
    startTicks: 0n,
    sessionId: launched.process.pid,
  };
  process.kill(pid, "SIGKILL");
  await once(workload.socket.resume(), "end");
  while (workload.caller().alive()) await new Promise(setImmediate);
  await bench.slots.sweep();
  assert.equal(bench.slots.find(caller), undefined);
  assert.match(readFileSync(bench.filePath, "utf8"), /"slots": \[\]/);
});

test("slots survive a restart of the agent, but not another start time or boot", async () => {
  await using bench = await LauncherBench.open();
  const launched = await bench.launch("a", [node, "-e", bench.workloadScript]);
  await launched.named;
  await bench.nextWorkload();
  const { pid } = launched.process;
  assert.ok(pid !== undefined);
  const covered = (): boolean => {
    using peer = UnixPeer.ofProcess(kernel, pid);
    return (
      bench.slots.find({ pid, pidfdInode: peer.pidfdInode, startTicks: 0n, sessionId: pid }) !==
      undefined
    );
  };
  await bench.restart();
  assert.equal(covered(), true);
  const kept = readFileSync(bench.filePath, "utf8");
  for (const [from, to] of [
    [/"startTicks": "\d+"/, '"startTicks": "1"'],
    [/"bootId": "[^"]+"/, '"bootId": "other"'],
    [/"pidfdInode": "\d+"/, '"pidfdInode": "1"'],
  ] as const) {
    writeFileSync(bench.filePath, kept.replace(from, to));
    await bench.restart();
    assert.equal(covered(), false, String(from));
  }
  writeFileSync(bench.filePath, kept);
  await bench.restart();
  assert.equal(covered(), true);
});

test("a nonce is good once, for a child of the launcher that leads its session, and not for long", async () => {
  const clock = new ManualClock();
  await using slots = await LauncherSlots.open({ clock, kernel });
  using self = UnixPeer.ofProcess(kernel, process.pid);
  const opened = async () => {
    const slot = slots.slot(self, "a");
    const { value } = await slot.next();
    assert.ok(value?.kind === "opened");
    return { slot, nonce: value.nonce };
  };

  const stranger = await opened();
  await assert.rejects(slots.redeem(self, stranger.nonce), { code: "SLOT_REDEEMER_UNFIT" });
  await assert.rejects(slots.redeem(self, stranger.nonce), { code: "SLOT_UNKNOWN" });
  const unfit = await stranger.slot.next();
  assert.deepEqual(unfit.value, { kind: "closed", reason: "slot.redeemer_unfit" });

  for (const detached of [false, true]) {
    const child = spawn("sleep", ["1000"], { detached, stdio: "ignore", env: {} });
    await once(child, "spawn");
    using peer = UnixPeer.ofProcess(kernel, child.pid ?? 0);
    const { slot, nonce } = await opened();
    if (detached) {
      assert.equal((await slots.redeem(peer, nonce)).name, "a");
      const { value } = await slot.next();
      assert.deepEqual(value, { kind: "redeemed", pid: child.pid, uid: process.geteuid?.() });
      await assert.rejects(slots.redeem(peer, nonce), { code: "SLOT_UNKNOWN" });
      child.kill("SIGKILL");
      await once(child, "exit");
      await slots.sweep();
      const end = await slot.next();
      assert.deepEqual(end.value, { kind: "closed", reason: "slot.session_empty" });
    } else {
      await assert.rejects(slots.redeem(peer, nonce), { code: "SLOT_REDEEMER_UNFIT" });
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  const late = await opened();
  const end = late.slot.next();
  await clock.advance(10_000);
  assert.deepEqual((await end).value, { kind: "closed", reason: "slot.expired" });
  await assert.rejects(slots.redeem(self, late.nonce), { code: "SLOT_UNKNOWN" });

  const left = await opened();
  await left.slot.return();
  await assert.rejects(slots.redeem(self, left.nonce), { code: "SLOT_UNKNOWN" });
  await assert.rejects(slots.redeem(self, new Uint8Array(32)), { code: "SLOT_UNKNOWN" });
});

test("a launcher may have 64 slots waiting, and another one when one of them has ended", async () => {
  await using slots = await LauncherSlots.open({ clock: new ManualClock(), kernel });
  using self = UnixPeer.ofProcess(kernel, process.pid);
  const open = Array.from({ length: WAITING_PER_UID_MAX }, () => slots.slot(self, "a"));
  for (const slot of open) {
    const { value } = await slot.next();
    assert.equal(value?.kind, "opened");
  }
  await assert.rejects(slots.slot(self, "a").next(), { code: "SLOTS_EXCEEDED" });
  await open.pop()?.return();
  const next = slots.slot(self, "a");
  const { value } = await next.next();
  assert.equal(value?.kind, "opened");
  for (const slot of [...open, next]) await slot.return();
});

test("a launcher gets the names its uid may give, and no more", async () => {
  const uid = process.geteuid?.() ?? 0;
  await using bench = await LauncherBench.open({ permissions: [{ uid, names: ["ci"] }] });
  await assert.rejects(bench.launch("web", ["true"]), { reason: "SLOT_NOT_PERMITTED" });
  await assert.rejects(bench.launch("Web", ["true"]), { code: "SLOT_NAME_INVALID" });
  const launched = await bench.launch("ci/job", ["sh", "-c", "exit 7"]);
  await launched.named;
  assert.deepEqual(await launched.ended, { code: 7, signal: null });
});

test("a slot that could not be kept is none", async () => {
  await using bench = await LauncherBench.open({
    at: (point) => {
      if (point === "slot-kept") throw new Error("disk full");
    },
  });
  const launched = await bench.launch("a", ["true"]);
  await assert.rejects(launched.named, { code: "SLOT_UNKNOWN" });
  assert.equal((await launched.ended).code, 125);
});

test("a launch without an agent, without a nonce or without a program says which", async () => {
  await using bench = await LauncherBench.open();
  await assert.rejects(bench.launch("a", ["true"], { adminSocketPath: `${bench.folder}/none` }), {
    code: "LAUNCH_AGENT_UNREACHABLE",
    details: { cause: "socket.missing", path: `${bench.folder}/none` },
  });
  const child = fileURLToPath(new URL("testing/become-child.ts", import.meta.url));
  const byHand = spawnSync(node, [child, bench.workloadPath, "true"], {
    encoding: "utf8",
    env: {},
  });
  assert.match(byHand.stderr, /LAUNCH_NONCE_MISSING/);
  for (const [command, code] of [
    ["no-such-program", "LAUNCH_COMMAND_NOT_FOUND"],
    ["/etc/passwd", "LAUNCH_COMMAND_NOT_EXECUTABLE"],
  ] as const) {
    const launched = await bench.launch("a", [command]);
    let said = "";
    launched.process.stderr?.on("data", (chunk) => (said += String(chunk)));
    await assert.rejects(launched.named, { code: "SLOT_UNKNOWN" });
    assert.equal((await launched.ended).code, 125);
    if (launched.process.stderr?.readableEnded === false)
      await once(launched.process.stderr, "end");
    assert.match(said, new RegExp(code));
  }
  // None of them waits at the agent for long: there is room for as many as there may be.
  using self = UnixPeer.ofProcess(kernel, process.pid);
  const open: ReturnType<LauncherSlots["slot"]>[] = [];
  while (open.length < WAITING_PER_UID_MAX) {
    const slot = bench.slots.slot(self, "a");
    try {
      await slot.next();
      open.push(slot);
    } catch (error) {
      assert.ok(error instanceof BonafideError && error.code === "SLOTS_EXCEEDED");
      await nextTurn();
    }
  }
  for (const slot of open) await slot.return();
});

test("name and launcher's uid come together, a label unless another uid started it", async () => {
  const facts = { kind: "unreadable", errno: "EACCES" } as const;
  const caller = {
    pid: 1,
    uid: 7,
    gid: 7,
    groups: [],
    pidfdInode: undefined,
    cgroupId: undefined,
    procPath: () => undefined,
    facts: {
      sessionId: facts,
      startTicks: facts,
      executableLink: facts,
      cgroupPath: facts,
      namespaces: { user: facts, pid: facts, mnt: facts },
    },
  };
  const { signal } = new AbortController();
  for (const [launcherUid, grade] of [
    [7, "label"],
    [0, "user"],
  ] as const) {
    const slots = { find: () => ({ slotId: "s", name: "n", launcherUid }) };
    const { selectors } = await launcherAttestor(slots).attest(caller, { signal });
    assert.deepEqual(
      selectors.map(({ value, grade: worth }) => [value, worth]),
      [
        ["name:n", grade],
        [`uid:${launcherUid}`, grade],
      ],
    );
  }
  const none = await launcherAttestor({ find: () => undefined }).attest(caller, { signal });
  assert.deepEqual(none, { selectors: [], omitted: [] });
});

test("a disk that cannot be written ends neither the sweep nor the slots of the living", async () => {
  const clock = new ManualClock();
  let failing = false;
  let written = "";
  await using slots = await LauncherSlots.open({
    clock,
    kernel,
    file: {
      read: () => Promise.resolve([]),
      write: (records) => {
        if (failing) return Promise.reject(new Error("no space"));
        written = records.map(({ name }) => name).join();
        return Promise.resolve();
      },
    },
  });
  using self = UnixPeer.ofProcess(kernel, process.pid);
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore", env: {} });
  await once(child, "spawn");
  const slot = slots.slot(self, "a");
  const { value } = await slot.next();
  assert.ok(value?.kind === "opened");
  {
    using peer = UnixPeer.ofProcess(kernel, child.pid ?? 0);
    await slots.redeem(peer, value.nonce);
  }
  assert.equal(written, "a");
  const ending = new AbortController();
  const running = slots.run(ending.signal);
  failing = true;
  child.kill("SIGKILL");
  await once(child, "exit");
  await clock.advance(1000);
  assert.equal(written, "a");
  failing = false;
  await clock.advance(1000);
  assert.equal(written, "");
  ending.abort();
  await running;
});
