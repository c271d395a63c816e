import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import process from "node:process";
import { encodePrivateKey, formatPem, generateKey } from "@bonafide/pki";
import type { Name } from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import { NodeSync, UpdateKind } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { type Channel, createClient, openChannel } from "@bonafide/rpc";
import { attest, type TestSvid } from "@bonafide/server/testing";
import { credentials } from "@grpc/grpc-js";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";
import { CountedWire } from "./harness/counted-wire.ts";
import { type ServerProcess, startServer } from "./harness/server-process.ts";

const TD = "example.org";
const NODE = "/node/bench";
const ENTRIES = 100_000;
const ENTRIES_BRIEF = 2_000;
const BATCH = 500;
const IN_FLIGHT = 4;
/** Synchronizations of a window: below the burst that a node may have. */
const SYNCS = 40;
/** Nodes that ask before it is measured: a server that runs for a while has its code compiled. */
const WARMERS = 6;
/** A synchronization is there at once; this only ends a hang. */
const CALL_MS = 120_000;

/** A server of many entries, all of one node: its start, and a synchronization in which nothing changed. */
export const benches: readonly Bench[] = [
  {
    name: "server-start",
    unit: "ms",
    target: { of: "value", atMost: 3000 },
    run: measureStart,
  },
  {
    name: "sync-noop/cpu",
    unit: "ms",
    target: { of: "value", atMost: 1 },
    run: async (options) => sampleOf((await synchronize(options)).cpuMs, null),
  },
  {
    name: "sync-noop/wire",
    unit: "bytes",
    target: { of: "value", atMost: 1024 },
    run: async (options) => sampleOf((await synchronize(options)).bytes, null),
  },
];

/** A data folder with so many entries, made once and gone with this process. */
const folders = new Map<number, Promise<string>>();

async function filled(count: number): Promise<string> {
  const known = folders.get(count) ?? fill(count);
  folders.set(count, known);
  return known;
}

async function fill(count: number): Promise<string> {
  const folder = mkdtempSync(joinPath(tmpdir(), "bf-entries-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  await using server = await startServer(folder);
  const entries = createClient(Entry, server.admin);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += BATCH;
      const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => from + at);
      const { results } = await entries.batchCreateEntry({
        entries: numbers.map((number) => ({
          spiffeId: { trustDomain: TD, path: `/workload/${number}` },
          parentId: { trustDomain: TD, path: NODE },
          selectors: [
            { type: "unix", value: `uid:${number}` },
            { type: "unix", value: `path:/usr/bin/workload-${number}` },
          ],
        })),
      });
      if (results.some(({ status }) => status?.code !== 0)) throw new Error("an entry was refused");
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return folder;
}

async function measureStart({ brief }: WindowOptions): Promise<Sample> {
  const folder = await filled(brief ? ENTRIES_BRIEF : ENTRIES);
  await using server = await startServer(folder);
  return sampleOf(server.startedMs, null);
}

/** What an agent remembers of its last update. */
interface Held {
  readonly kind: UpdateKind;
  readonly state: Name;
  readonly entriesDigest: Uint8Array;
  readonly bundleSequenceNumber: bigint;
}

interface Synced {
  readonly cpuMs: number;
  readonly bytes: number;
}

/** A node that holds everything already asks again and again, over one connection of a server that is warm. */
async function synchronize({ brief }: WindowOptions): Promise<Synced> {
  const folder = await filled(brief ? ENTRIES_BRIEF : ENTRIES);
  await using server = await startServer(folder);
  await using wire = await CountedWire.open(server.port);
  for (let warmer = 0; warmer < (brief ? 0 : WARMERS); warmer++) {
    using other = await join(server, wire.port);
    const held = await firstUpdate(other, {});
    for (let round = 0; round < SYNCS; round++) await assertUnchanged(other, held);
  }
  using channel = await join(server, wire.port, NODE);
  const held = await firstUpdate(channel, {});
  await assertUnchanged(channel, held);
  const before = { cpuMs: server.cpuMs(), bytes: wire.bytes };
  for (let round = 0; round < SYNCS; round++) await assertUnchanged(channel, held);
  return {
    cpuMs: (server.cpuMs() - before.cpuMs) / SYNCS,
    bytes: (wire.bytes - before.bytes) / SYNCS,
  };
}

/** A new node, which may go by another name. @returns its connection */
async function join(server: ServerProcess, port: number, path?: string): Promise<Channel> {
  const { value: token } = await createClient(Agent, server.admin).createJoinToken({
    ttl: 600,
    ...(path === undefined ? {} : { agentId: { trustDomain: TD, path } }),
  });
  using stranger = connectAs(port);
  const svid = await attest(createClient(Agent, stranger), token, generateKey("ec-p256"));
  return connectAs(port, svid);
}

async function assertUnchanged(channel: Channel, held: Held): Promise<void> {
  const { kind } = await firstUpdate(channel, held);
  if (kind !== UpdateKind.UNCHANGED) throw new Error(`something changed: kind ${kind}`);
}

/** Opens a stream, reads its first update whole and ends the stream. */
async function firstUpdate(channel: Channel, held: Partial<Held>): Promise<Held> {
  const ends = new AbortController();
  let bundleSequenceNumber = held.bundleSequenceNumber ?? 0n;
  const { state, entriesDigest } = held;
  const updates = createClient(NodeSync, channel).watch(
    {
      ...(state === undefined ? {} : { held: state }),
      ...(entriesDigest === undefined ? {} : { entriesDigest }),
      bundleSequenceNumber,
      agentVersion: "bench",
    },
    { signal: ends.signal },
  );
  try {
    for await (const update of updates) {
      bundleSequenceNumber = update.bundle?.sequenceNumber ?? bundleSequenceNumber;
      if (update.more) continue;
      if (update.state === undefined) throw new Error("an update without a state");
      const { kind, state: now, entriesDigest: digest } = update;
      return { kind, state: now, entriesDigest: digest, bundleSequenceNumber };
    }
    throw new Error("the stream ended");
  } finally {
    ends.abort();
  }
}

/** A connection as nobody, or as a node. Whom the server proves to be is not what is measured. */
function connectAs(port: number, svid?: TestSvid): Channel {
  const key = svid && Buffer.from(formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)));
  const chain = svid && Buffer.from(svid.chain.map((d) => formatPem("CERTIFICATE", d)).join(""));
  return openChannel(`localhost:${port}`, {
    credentials: credentials.createSsl(null, key ?? null, chain ?? null, {
      rejectUnauthorized: false,
    }),
    timeoutMs: CALL_MS,
  });
}
