import { WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import { Echo } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SpiffeWorkloadAPI, type X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { addService, createClient, openUnixChannel } from "@bonafide/rpc";
import { openTestServer } from "@bonafide/rpc/testing";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";
import { percentile } from "./harness/percentile.ts";
import { openPlane } from "./harness/plane.ts";

/** What a workload waits for. Server, agent and workload are one process, so all three share its time. */
export const benches: readonly Bench[] = [
  {
    // Connect, attest, first SVID, against an empty call on a connection of the same stack that is open already.
    name: "workload-first-svid",
    unit: "ms",
    target: { of: "ratio", atMost: 5 },
    run: measureFirstSvid,
  },
  {
    // From the call on the admin socket to the message on the workload's open stream: SQLite commit, push, signing.
    name: "entry-to-svid/p50",
    unit: "ms",
    target: { of: "value", atMost: 50 },
    run: async (options) => sampleOf(percentile(await entryToSvid(options), 0.5), null),
  },
  {
    name: "entry-to-svid/p99",
    unit: "ms",
    target: { of: "value", atMost: 250 },
    run: async (options) => sampleOf(percentile(await entryToSvid(options), 0.99), null),
  },
];

/** No measure: it only ends a hang. */
const SERVED_MS_MAX = 60_000;

async function measureFirstSvid({ windowMs }: WindowOptions): Promise<Sample> {
  await using plane = await openPlane();
  await using echo = await openTestServer(() => "bench");
  addService(echo.server, Echo, { say: (request) => request });
  await plane.createEntry("/first");
  await served(() => firstSvid(plane.agent.agent.workloadSocket));
  using channel = openUnixChannel(echo.path);
  const client = createClient(Echo, channel);
  const empty = (): Promise<unknown> => client.say({});
  const firsts: number[] = [];
  const empties: number[] = [];
  const begun = performance.now();
  // In turns, so that what else the machine does falls on both.
  do {
    firsts.push(await timeOf(() => firstSvid(plane.agent.agent.workloadSocket)));
    empties.push(await timeOf(empty));
  } while (performance.now() - begun < windowMs);
  return sampleOf(percentile(firsts, 0.5), percentile(empties, 0.5));
}

/** A new workload's way, but for its own process. */
async function firstSvid(path: string): Promise<void> {
  using channel = openUnixChannel(path);
  const stream = createClient(SpiffeWorkloadAPI, channel).fetchX509SVID(
    {},
    { headers: WORKLOAD_HEADERS },
  );
  await nextOf(stream);
  await stream.return();
}

async function entryToSvid({ windowMs, brief }: WindowOptions): Promise<readonly number[]> {
  await using plane = await openPlane();
  await plane.createEntry("/always");
  await served(() => firstSvid(plane.agent.agent.workloadSocket));
  const stream = plane.agent
    .workload(SpiffeWorkloadAPI)
    .fetchX509SVID({}, { headers: WORKLOAD_HEADERS });
  await nextOf(stream);
  const entries = plane.server.local(Entry);
  const times: number[] = [];
  const begun = performance.now();
  do {
    const path = `/new-${times.length}`;
    const start = performance.now();
    const created = plane.createEntry(path);
    await until(stream, path, true);
    times.push(performance.now() - start);
    await entries.batchDeleteEntry({ ids: [await created] });
    await until(stream, path, false);
  } while (performance.now() - begun < windowMs || times.length < (brief ? 2 : 100));
  await stream.return();
  return times;
}

/** Reads the stream until it has, or no longer has, an identity. */
async function until(
  stream: AsyncIterator<X509SVIDResponse>,
  path: string,
  isThere: boolean,
): Promise<void> {
  for (;;) {
    const { svids } = await nextOf(stream);
    if (svids.some(({ spiffeId }) => spiffeId.endsWith(path)) === isThere) return;
  }
}

async function nextOf<T>(stream: AsyncIterator<T>): Promise<T> {
  const next = await stream.next();
  if (next.done === true) throw new Error("the stream ended");
  return next.value;
}

/** Calls until it succeeds: the agent hears of its first entry a moment after it was written. */
async function served(call: () => Promise<void>): Promise<void> {
  for (const end = performance.now() + SERVED_MS_MAX; ;) {
    try {
      await call();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}
