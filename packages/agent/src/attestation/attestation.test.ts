import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { ObservedSelector, OmittedFact, WorkloadAttestor } from "@bonafide/plugin-api";
import { openKernel, UnixPeer } from "@bonafide/unix-peer";
import { because } from "../cause-details.ts";
import { createAttestation } from "./attestation.ts";
import {
  asLabels,
  compareObservations,
  isWeaker,
  mergeObservations,
  sealSelectors,
} from "./core/selectors.ts";
import type { Observation } from "./observation.ts";
import { ATTESTATION_STEPS, type AttestationStep } from "./steps.ts";

const kernel = await openKernel();

function attestorOf(name: string, ...values: readonly string[]): WorkloadAttestor {
  return {
    name,
    attest: () =>
      Promise.resolve({
        selectors: values.map((value) => ({ type: name, value, grade: "user", source: "test" })),
        omitted: [],
      }),
  };
}

function self(): UnixPeer {
  return UnixPeer.ofProcess(kernel, process.pid);
}

test("an observation runs every step once, in the order of the table", async () => {
  using peer = self();
  const seen: AttestationStep[] = [];
  const attestation = createAttestation(
    { clock: systemClock, attestors: [attestorOf("b", "x:2", "x:1"), attestorOf("a", "x:1")] },
    { beforeStep: (step) => seen.push(step) },
  );
  const observation = await attestation.observe(peer);
  assert.deepEqual(
    seen,
    ATTESTATION_STEPS.map(({ name }) => name),
  );
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(
    observation.selectors.map(({ type, value }) => `${type}:${value}`),
    ["a:x:1", "b:x:1", "b:x:2"],
  );
  assert.equal(observation.pid, process.pid);
  assert.equal(observation.executable, process.execPath);
});

test("a failure before any step is the caller's answer, and nothing stays open", async () => {
  const { readdirSync } = await import("node:fs");
  using peer = self();
  const before = readdirSync("/proc/self/fd").length;
  for (const { name } of ATTESTATION_STEPS) {
    const attestation = createAttestation(
      { clock: systemClock, attestors: [attestorOf("a", "x:1")] },
      {
        beforeStep: (step) => {
          if (step === name) throw new Error(`at ${step}`);
        },
      },
    );
    await assert.rejects(attestation.observe(peer), { message: `at ${name}` });
  }
  assert.equal(readdirSync("/proc/self/fd").length, before);
});

test("a process that ends at any step gets no observation", async () => {
  for (const { name } of ATTESTATION_STEPS.slice(0, -1)) {
    const child = spawn("sleep", ["1000"], { stdio: "ignore", env: {} });
    await once(child, "spawn");
    using peer = UnixPeer.ofProcess(kernel, child.pid ?? 0);
    const exit = once(child, "exit");
    const attestation = createAttestation(
      { clock: systemClock, attestors: [attestorOf("a", "x:1")] },
      {
        beforeStep: (step) => {
          if (step !== name) return;
          child.kill("SIGKILL");
          // Synchronously until the kernel is done with it.
          while (peer.alive());
        },
      },
    );
    await assert.rejects(attestation.observe(peer), { code: "PEER_GONE" }, name);
    await exit;
  }
});

test("a process that becomes another program meanwhile is looked at again, three times", async () => {
  const child = spawn("sh", ["-c", "read _; exec sleep 1000"], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: "/usr/bin:/bin" },
  });
  await once(child, "spawn");
  using peer = UnixPeer.ofProcess(kernel, child.pid ?? 0);
  const attestation = createAttestation({ clock: systemClock, attestors: [] });
  const isShell = async (): Promise<boolean> =>
    (await attestation.observe(peer)).executable?.endsWith("sleep") === false;
  let tries = 0;
  let before: string | undefined;
  const unstable = createAttestation({
    clock: systemClock,
    attestors: [
      {
        name: "a",
        attest: async () => {
          if (tries++ === 0) {
            child.stdin.write("\n");
            while (await isShell()) await new Promise(setImmediate);
          }
          return { selectors: [], omitted: [] };
        },
      },
    ],
  });
  const observation = await unstable.observe(peer);
  before = observation.executable;
  assert.match(before ?? "", /sleep$/);
  assert.equal(tries, 2);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("a process that becomes another program at every look is refused after three, and observed once it stays", async (t) => {
  const folder = mkdtempSync("/tmp/bf-unstable-");
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  for (const copy of [first, second]) copyFileSync("/bin/sh", copy);
  // Becomes the other copy at each line that it reads.
  const script = 'read _; next=$1; shift; exec "$next" -c "$SCRIPT" sh "$@" "$next"';
  const child = spawn(first, ["-c", script, "sh", second, first], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { SCRIPT: script },
  });
  await once(child, "spawn");
  using peer = UnixPeer.ofProcess(kernel, child.pid ?? 0);
  const program = (): string => readlinkSync(`/proc/${child.pid}/exe`);
  let restless = true;
  let tries = 0;
  const attestation = createAttestation({
    clock: systemClock,
    attestors: [
      {
        name: "a",
        attest: async () => {
          tries++;
          const before = program();
          if (restless) {
            child.stdin.write("\n");
            while (program() === before) await nextTurn();
          }
          return { selectors: [], omitted: [] };
        },
      },
    ],
  });
  await assert.rejects(attestation.observe(peer), {
    code: "ATTESTATION_UNSTABLE",
    details: because("caller.facts_changed"),
  });
  assert.equal(tries, 3);
  restless = false;
  assert.equal((await attestation.observe(peer)).executable, second);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("an attestor that fails, lies or hangs costs its own facts only", async () => {
  using peer = self();
  const clock = new ManualClock();
  const hanging = Promise.withResolvers<undefined>();
  const observing = createAttestation({
    clock,
    attestors: [
      attestorOf("good", "x:1"),
      { name: "fails", attest: () => Promise.reject(new Error("no")) },
      { ...attestorOf("other", "x:1"), name: "lies" },
      {
        name: "hangs",
        attest: () => {
          hanging.resolve(undefined);
          return new Promise(() => {});
        },
      },
    ],
  }).observe(peer);
  await hanging.promise;
  await clock.advance(2000);
  await clock.advance(1000);
  const { selectors, omitted } = await observing;
  assert.deepEqual(
    selectors.map(({ type }) => type),
    ["good"],
  );
  assert.deepEqual(
    omitted.map(({ fact, reason }) => [fact, reason]),
    [
      ["fails", "attestor.failed"],
      ["lies", "attestor.failed"],
      ["hangs", "attestor.timed_out"],
    ],
  );
});

test("the observations of one uid at a time are bounded", async () => {
  using peer = self();
  const gate = Promise.withResolvers<undefined>();
  const attestation = createAttestation(
    {
      clock: systemClock,
      attestors: [
        {
          name: "a",
          attest: async () => {
            await gate.promise;
            return { selectors: [], omitted: [] };
          },
        },
      ],
    },
    { observationsPerUidMax: 1 },
  );
  const first = attestation.observe(peer);
  await assert.rejects(attestation.observe(peer), { code: "ATTESTATION_BUSY" });
  gate.resolve(undefined);
  await first;
  await attestation.observe(peer);
});

test("looking again says what appeared and what vanished", async () => {
  using peer = self();
  let value = "x:1";
  const attestation = createAttestation({
    clock: systemClock,
    attestors: [{ name: "a", attest: (...args) => attestorOf("a", value).attest(...args) }],
  });
  const before = await attestation.observe(peer);
  assert.equal((await attestation.reobserve(peer, before)).kind, "same");
  value = "x:2";
  const again = await attestation.reobserve(peer, before);
  assert.deepEqual(again.kind === "changed" && again.changes, [
    { kind: "vanished", type: "a", value: "x:1" },
    { kind: "appeared", type: "a", value: "x:2" },
  ]);
});

/** An attestor that counts its looks and keeps each until it is let go. */
function held(): { attestor: WorkloadAttestor; looks: () => number; most: () => number } {
  let looks = 0;
  let running = 0;
  let most = 0;
  const attestor: WorkloadAttestor = {
    name: "a",
    attest: async () => {
      looks++;
      most = Math.max(most, ++running);
      await nextTurn();
      running--;
      return { selectors: [], omitted: [] };
    },
  };
  return { attestor, looks: () => looks, most: () => most };
}

test("looking again waits for its turn, and new calls do not wait for it", async () => {
  // As before Linux 6.9, where nothing names the one process that they are of.
  const peers = Array.from({ length: 300 }, () =>
    Object.defineProperty(self(), "pidfdInode", { value: undefined }),
  );
  const { attestor, looks, most } = held();
  const attestation = createAttestation(
    { clock: systemClock, attestors: [attestor] },
    { observationsPerUidMax: 4 },
  );
  const [first] = peers;
  assert.ok(first !== undefined);
  const before = await attestation.observe(first);
  const again = peers.map((peer) => attestation.reobserve(peer, before));
  await nextTurn();
  await attestation.observe(first);
  const kinds = new Set((await Promise.all(again)).map(({ kind }) => kind));
  assert.deepEqual([...kinds], ["same"]);
  assert.equal(looks(), 302);
  assert.ok(most() <= 5, `${most()} at a time`);
  for (const peer of peers) peer.close();
});

test("the streams of one connection share a look that has not begun", async () => {
  using peer = self();
  const { attestor, looks } = held();
  const attestation = createAttestation({ clock: systemClock, attestors: [attestor] });
  const before = await attestation.observe(peer);
  const gone = new AbortController();
  const left = attestation.reobserve(peer, before, { signal: gone.signal });
  const again = Array.from({ length: 100 }, () => attestation.reobserve(peer, before));
  gone.abort();
  await assert.rejects(left, { name: "AbortError" });
  await Promise.all(again);
  assert.equal(looks(), 2);
  await attestation.reobserve(peer, before);
  assert.equal(looks(), 3);
});

test("connections of one process share a look that has not begun, and hold one observation", async () => {
  const peers = Array.from({ length: 50 }, () => self());
  const { attestor, looks } = held();
  const attestation = createAttestation({ clock: systemClock, attestors: [attestor] });
  const known: Observation[] = [];
  for (const peer of peers) known.push(await attestation.observe(peer));
  assert.equal(new Set(known).size, 1);
  const again = peers.map((peer, i) => attestation.reobserve(peer, known[i] ?? seen([])));
  for (const answer of await Promise.all(again)) assert.equal(answer.kind, "same");
  assert.equal(looks(), 51);
  for (const peer of peers) peer.close();
});

test("a look through a connection that was closed meanwhile is no answer for the others", async () => {
  const [first, second] = [self(), self()];
  const { attestor } = held();
  const attestation = createAttestation({ clock: systemClock, attestors: [attestor] });
  const known = await attestation.observe(second);
  const left = attestation.reobserve(first, known);
  const again = attestation.reobserve(second, known);
  first.close();
  await assert.rejects(left, { code: "PEER_GONE" });
  assert.equal((await again).kind, "same");
  second.close();
});

function omit(reason: OmittedFact["reason"], fact = "unix:sha256"): readonly OmittedFact[] {
  return [{ fact, reason, text: "t" }];
}

function one(grade: ObservedSelector["grade"]): ObservedSelector {
  return { type: "a", value: "x:1", grade, source: "t" };
}

const seen = (values: readonly string[], omitted: readonly OmittedFact[] = []): Observation => ({
  selectors: values.map((value) => ({ type: "unix", value, grade: "user", source: "t" })),
  omitted,
  pid: 1,
  uid: 1,
  gid: 1,
  groups: [],
  pin: "pidfd",
  executable: undefined,
  pidfdInode: undefined,
});

test("a fact that was not ready is no change, one that cannot be read any more is", () => {
  const digest = seen(["uid:1", "sha256:a"]);
  const late = seen(["uid:1"], omit("attestor.timed_out"));
  assert.deepEqual(compareObservations(digest, late), []);
  assert.deepEqual(compareObservations(late, digest), []);
  assert.deepEqual(compareObservations(digest, seen([], omit("attestor.timed_out", "unix"))), []);
  const gone = seen(["uid:1"], omit("attestor.not_readable"));
  assert.deepEqual(compareObservations(digest, gone), [
    { kind: "vanished", type: "unix", value: "sha256:a" },
  ]);
  const replaced = seen(["uid:1", "sha256:b"], omit("attestor.timed_out", "unix:path"));
  assert.equal(compareObservations(digest, replaced).length, 2);
});

test("what was seen once stays known while it is omitted, and may come back as the same only", () => {
  const digest = seen(["uid:1", "sha256:a"]);
  const late = seen(["uid:1"], omit("attestor.timed_out"));
  const known = mergeObservations(digest, late);
  assert.deepEqual(compareObservations(known, digest), []);
  assert.deepEqual(compareObservations(known, late), []);
  assert.deepEqual(compareObservations(known, seen(["uid:1", "sha256:b"])), [
    { kind: "vanished", type: "unix", value: "sha256:a" },
    { kind: "appeared", type: "unix", value: "sha256:b" },
  ]);
  // What was never there may come once; from then on it counts.
  const learned = mergeObservations(mergeObservations(late, late), digest);
  assert.deepEqual(compareObservations(late, digest), []);
  assert.equal(compareObservations(learned, seen(["uid:1", "sha256:b"])).length, 2);
});

test("of two equal selectors the weaker grade stays, and unpinned ones are labels", () => {
  assert.deepEqual(sealSelectors([one("boundary"), one("label"), one("user")]), [one("label")]);
  assert.deepEqual(asLabels([one("boundary")]), [one("label")]);
  assert.ok(isWeaker("label", "user") && isWeaker("user", "boundary"));
  assert.ok(!isWeaker("user", "user") && !isWeaker("boundary", "label"));
});
