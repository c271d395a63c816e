import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import { FakeWorkloadApi } from "../testing/fake-workload-api.ts";
import { TestTrustDomain } from "../testing/test-trust-domain.ts";
import { openWorkloadApi } from "../workload-api/workload-api-client.ts";
import { openSource } from "./open-source.ts";
import { openX509Source, type X509SourceOptions } from "./open-x509-source.ts";
import type { X509Context } from "./x509-context.ts";

const a = new TestTrustDomain("a.example");
const b = new TestTrustDomain("b.example");

test("a source waits for its first update, follows rotations and ends", async () => {
  await using fake = await FakeWorkloadApi.open();
  fake.give({ svids: [a.issue("/one")], bundles: [a.bundle, b.bundle] });
  const source = await openX509Source({ address: fake.address });
  assert.equal(source.current().id, "spiffe://a.example/one");
  assert.equal(source.context().bundles.size, 2);
  const updates = source.updates();
  await updates.next();
  const second = a.issue("/one");
  fake.give({ svids: [second], bundles: [a.bundle, b.bundle] });
  await updates.next();
  assert.equal(source.current().chain[0].serialText, second.chain[0].serialText);
  await source.close();
  await source.close();
  assert.equal((await updates.next()).done, true);
  assert.throws(() => source.current(), coded("SOURCE_CLOSED"));
});

test("WLE-05 (Workload Endpoint §3): every request carries the security header", async () => {
  await using fake = await FakeWorkloadApi.open();
  fake.give({ svids: [a.issue("/one")], bundles: [a.bundle] });
  await using client = openWorkloadApi({ address: fake.address });
  await client.fetchX509Context();
  const bundles = await client.fetchX509Bundles();
  assert.deepEqual([...bundles.keys()], ["a.example"]);
  assert.deepEqual(fake.calls, [
    { method: "FetchX509SVID", securityHeader: ["true"] },
    { method: "FetchX509Bundles", securityHeader: ["true"] },
  ]);
});

test("WLE-08 (Workload Endpoint §4): the environment names the endpoint, the argument beats it", async () => {
  await using fake = await FakeWorkloadApi.open();
  fake.give({ svids: [a.issue("/one")], bundles: [a.bundle] });
  const environment = { SPIFFE_ENDPOINT_SOCKET: fake.address };
  await using source = await openSource({ environment });
  assert.equal(source.current().id, "spiffe://a.example/one");
  assert.throws(() => openWorkloadApi({ environment: {} }), coded("ENDPOINT_ADDRESS_MISSING"));
  await using explicit = await openX509Source({
    address: fake.address,
    environment: { SPIFFE_ENDPOINT_SOCKET: "unix:///nowhere.sock" },
  });
  assert.equal(explicit.current().id, "spiffe://a.example/one");
});

test("WLA-07, WLA-08 (Workload API §4.4): what a later message does not hold is unloaded", async () => {
  await using fake = await FakeWorkloadApi.open();
  const { follow, close } = await opened(fake);
  fake.give({ svids: [a.issue("/one"), a.issue("/two")], bundles: [a.bundle, b.bundle] });
  await follow((context) => context.svids.length === 2 && context.bundles.size === 2);
  fake.give({ svids: [a.issue("/one")], bundles: [a.bundle] });
  const last = await follow((context) => context.svids.length === 1);
  assert.deepEqual([...last.bundles.keys()], ["a.example"]);
  await close();
});

test("WLA-11 (Workload API §4.5): a message that cannot be used is reported, and the state stays", async () => {
  await using fake = await FakeWorkloadApi.open();
  const problems: string[] = [];
  const { follow, source, close } = await opened(fake, {
    onProblem: (error) => problems.push(error.code),
  });
  const before = source.current();
  fake.giveRaw({});
  await until(() => problems.length > 0);
  assert.equal(source.current(), before);
  fake.give({ svids: [a.issue("/two")], bundles: [a.bundle] });
  await follow((context) => context.svid?.id === "spiffe://a.example/two");
  assert.deepEqual(problems, ["WORKLOAD_API_RESPONSE_INVALID"]);
  await close();
});

test("WLA-19, WLA-20 (Workload API §5.2): PERMISSION_DENIED unloads everything, and the source asks again after a pause", async () => {
  await using fake = await FakeWorkloadApi.open();
  const clock = new ManualClock();
  const problems: string[] = [];
  const { follow, source, close } = await opened(fake, {
    clock,
    onProblem: (error) => problems.push(error.code),
  });
  fake.fail("permission_denied");
  const gone = await follow((context) => context.svid === undefined);
  assert.equal(gone.bundles.size, 0);
  assert.throws(() => source.current(), coded("NO_IDENTITY_ISSUED"));
  assert.deepEqual(problems, ["NO_IDENTITY_ISSUED"]);
  await until(() => clock.sleepers === 1);
  const calls = fake.calls.length;
  fake.give({ svids: [a.issue("/back")], bundles: [a.bundle] });
  await clock.advance(400);
  assert.equal(fake.calls.length, calls);
  await clock.advance(600);
  await follow((context) => context.svid?.id === "spiffe://a.example/back");
  await close();
  assert.equal(clock.sleepers, 0);
});

test("WLA-03 (Workload API §4.2): a stream that ends is opened again at once, one that ends soon again after a pause", async () => {
  await using fake = await FakeWorkloadApi.open();
  const clock = new ManualClock();
  const { follow, close } = await opened(fake, { clock });
  const restart = async (i: number): Promise<void> => {
    fake.endStreams();
    await fake.waitForCalls(i);
    fake.give({ svids: [a.issue(`/${i}`)], bundles: [a.bundle] });
    await follow((context) => context.svid?.id === `spiffe://a.example/${i}`);
  };
  // The clock moves only between restarts: a pause would never end.
  for (let i = 2; i < 5; i++) {
    await clock.advance(1000);
    await restart(i);
  }
  await restart(5);
  fake.endStreams();
  await until(() => clock.sleepers === 1);
  await clock.advance(1000);
  await fake.waitForCalls(6);
  await close();
});

test("WLE-15 (Workload Endpoint §6): UNAVAILABLE is tried again with growing pauses, and the state stays", async () => {
  await using fake = await FakeWorkloadApi.open();
  const clock = new ManualClock();
  const { follow, source, close } = await opened(fake, { clock, random: { fraction: () => 1 } });
  fake.fail("unavailable");
  await until(() => clock.sleepers === 1);
  for (const ms of [1000, 1500, 2250]) {
    const before = fake.calls.length;
    await clock.advance(ms - 1);
    assert.equal(fake.calls.length, before);
    await clock.advance(1);
    await fake.waitForCalls(before + 1);
    await until(() => clock.sleepers === 1);
  }
  assert.equal(source.current().id, "spiffe://a.example/one");
  fake.give({ svids: [a.issue("/two")], bundles: [a.bundle] });
  await clock.advance(30_000);
  await follow((context) => context.svid?.id === "spiffe://a.example/two");
  await close();
});

test("pauses never grow beyond a twentieth of the SVID's life, or half a second: a short-lived one would expire meanwhile", async () => {
  for (const [seconds, longestMs] of [
    [10, 500],
    [60, 3000],
  ] as const) {
    await using fake = await FakeWorkloadApi.open();
    const clock = new ManualClock();
    const now = Date.now();
    const short = a.issue("/one", { notBefore: now, notAfter: now + seconds * 1000 });
    fake.give({ svids: [short], bundles: [a.bundle] });
    const source = await openX509Source({
      address: fake.address,
      clock,
      random: { fraction: () => 1 },
    });
    fake.fail("unavailable");
    for (let failed = 1; failed < 8; failed++) {
      await until(() => clock.sleepers === 1);
      const before = fake.calls.length;
      await clock.advance(longestMs);
      await fake.waitForCalls(before + 1);
    }
    await source.close();
  }
});

test("WLE-14, WLE-17 (Workload Endpoint §6): INVALID_ARGUMENT and UNIMPLEMENTED are reported and not tried again", async () => {
  for (const [status, code] of [
    ["invalid_argument", "RPC_INVALID_ARGUMENT"],
    ["unimplemented", "RPC_UNIMPLEMENTED"],
  ] as const) {
    await using fake = await FakeWorkloadApi.open();
    fake.fail(status);
    await assert.rejects(openX509Source({ address: fake.address }), coded(code));
    assert.equal(fake.calls.length, 1);

    fake.give({ svids: [a.issue("/one")], bundles: [a.bundle] });
    const clock = new ManualClock();
    const problems: string[] = [];
    await using source = await openX509Source({
      address: fake.address,
      clock,
      onProblem: (error) => problems.push(error.code),
    });
    fake.fail(status);
    await until(() => problems.length > 0);
    assert.deepEqual(problems, [code]);
    assert.equal(source.current().id, "spiffe://a.example/one");
    await clock.advance(100_000);
    assert.equal(fake.calls.length, 2);
  }
});

test("opening waits while there is no identity, and says why when its signal ends it", async () => {
  await using fake = await FakeWorkloadApi.open();
  const abort = new AbortController();
  const opening = openX509Source({ address: fake.address }, { signal: abort.signal });
  await fake.waitForCalls(1);
  abort.abort();
  await assert.rejects(opening, coded("NO_IDENTITY_ISSUED"));
  await assert.rejects(
    openX509Source({ address: "unix:///tmp/bf-nothing-here.sock" }, { signal: soon() }),
    coded("NO_IDENTITY_ISSUED"),
  );
});

test("files and an address together are refused, not guessed", () => {
  assert.throws(
    () => openSource({ files: "/tmp", address: "unix:///a" }),
    coded("ENDPOINT_ADDRESS_INVALID"),
  );
});

async function opened(
  fake: FakeWorkloadApi,
  options: Omit<X509SourceOptions, "address"> = {},
): Promise<{
  readonly source: Awaited<ReturnType<typeof openX509Source>>;
  readonly follow: (wanted: (context: X509Context) => boolean) => Promise<X509Context>;
  readonly close: () => Promise<void>;
}> {
  fake.give({ svids: [a.issue("/one")], bundles: [a.bundle] });
  const source = await openX509Source({ ...options, address: fake.address });
  return {
    source,
    follow: async (wanted) => {
      for await (const context of source.updates()) if (wanted(context)) return context;
      return assert.fail("the source ended");
    },
    close: () => source.close(),
  };
}

function soon(): AbortSignal {
  const abort = new AbortController();
  setImmediate(() => {
    abort.abort();
  });
  return abort.signal;
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
