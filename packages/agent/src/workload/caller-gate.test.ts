import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { WorkloadAttestor, WorkloadFacts } from "@bonafide/plugin-api";
import { openKernel, UnixPeer } from "@bonafide/unix-peer";
import { createAttestation } from "../attestation/attestation.ts";
import { DecisionLog } from "../decision/decision-log.ts";
import { CallerGate, type SeenCaller } from "./caller-gate.ts";
import { UidLimits } from "./uid-limits.ts";

const kernel = await openKernel();
const { signal } = new AbortController();
const ROLE = [{ type: "test", value: "role:web" }];
const LATE: WorkloadFacts = {
  selectors: [],
  omitted: [{ fact: "test:role", reason: "attestor.timed_out", text: "late" }],
};

function role(value: string): WorkloadFacts {
  const selector = { type: "test", value: `role:${value}`, grade: "user", source: "t" } as const;
  return { selectors: [selector], omitted: [] };
}

/** A gate whose only attestor says one thing after the other, the last one for ever. */
function gateOf(...said: readonly WorkloadFacts[]): {
  readonly gate: CallerGate;
  readonly clock: ManualClock;
  readonly decisions: DecisionLog;
  readonly looks: () => number;
} {
  let looks = 0;
  const attestor: WorkloadAttestor = {
    name: "test",
    attest: () => Promise.resolve(said[Math.min(looks++, said.length - 1)] ?? LATE),
  };
  const clock = new ManualClock();
  const decisions = new DecisionLog();
  const attestation = createAttestation({ clock, attestors: [attestor] });
  const limits = new UidLimits(clock);
  const gate = new CallerGate({ clock, log: silentLog, attestation, decisions, limits });
  return { gate, clock, decisions, looks: () => looks };
}

function look(gate: CallerGate, peer: UnixPeer): Promise<SeenCaller> {
  const connection = { caller: () => peer };
  return gate.look(connection, "m", { signal });
}

/** Lets every pause pass at once until the work is done. */
async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const state = { done: false };
  const ended = work.finally(() => {
    state.done = true;
  });
  ended.catch(() => {});
  while (!state.done) {
    await clock.advance(1000);
    await new Promise(setImmediate);
  }
  return ended;
}

test("a push waits for a fact that it rests on and that is not to be had at the moment", async () => {
  using peer = UnixPeer.ofProcess(kernel, process.pid);
  const { gate, clock, looks } = gateOf(role("web"), LATE, role("web"));
  const seen = await look(gate, peer);
  const again = await passing(clock, gate.lookAgain(seen, ROLE, { signal }));
  assert.equal(looks(), 3);
  assert.equal(again.observation.selectors[0]?.value, "role:web");
});

test("a push that rests on a fact that does not come back is not sent", async () => {
  using peer = UnixPeer.ofProcess(kernel, process.pid);
  const { gate, clock, decisions, looks } = gateOf(role("web"), LATE);
  const seen = await look(gate, peer);
  await assert.rejects(passing(clock, gate.lookAgain(seen, ROLE, { signal })), {
    code: "CALLER_NOT_ATTESTED",
  });
  assert.equal(looks(), 4);
  const [decision] = decisions.list(() => true, 1);
  assert.equal(decision?.observation?.omitted[0]?.reason, "attestor.timed_out");
});

test("a push that does not rest on it is sent, and the fact is not forgotten", async () => {
  using peer = UnixPeer.ofProcess(kernel, process.pid);
  const { gate } = gateOf(role("web"), LATE, LATE, role("db"));
  let seen = await look(gate, peer);
  for (let pushes = 0; pushes < 2; pushes++) seen = await gate.lookAgain(seen, [], { signal });
  await assert.rejects(gate.lookAgain(seen, [], { signal }), { code: "CALLER_CHANGED" });
});

test("a caller that left while a push waits ends the wait", async () => {
  using peer = UnixPeer.ofProcess(kernel, process.pid);
  const { gate } = gateOf(role("web"), LATE);
  const seen = await look(gate, peer);
  const gone = new AbortController();
  const waiting = gate.lookAgain(seen, ROLE, { signal: gone.signal });
  gone.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});
