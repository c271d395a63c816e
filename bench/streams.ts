import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import { createClient, openUnixChannel } from "@bonafide/rpc";
import { type Bench, sampleOf, type WindowOptions } from "./harness/bench.ts";
import { type BenchPlane, openPlane } from "./harness/plane.ts";

/** Streams of as many connections, from so many processes. A short run has a twentieth, and a tenth of the processes. */
const WHOLE = { streams: 5000, processes: 20 };
const BRIEF = { streams: 250, processes: 2 };

/** Opened before anything is weighed, so that code is compiled and the heap has its size. */
const WARM = 200;

/** Before memory is read, ms: what ended connections leave goes within a turn or two. */
const REST_MS = 500;

/** What many open streams of the Workload API cost an agent. Server and agent are one process, the clients others. */
export const benches: readonly Bench[] = [
  {
    name: "streams-memory",
    unit: "KB",
    target: { of: "value", atMost: 64 },
    run: async (options) => sampleOf(await withStreams(options, weigh), null),
  },
  {
    // From the call that changes the bundle to the last of all messages.
    name: "streams-push",
    unit: "ms",
    target: { of: "value", atMost: 750 },
    run: async (options) => sampleOf(await withStreams(options, push), null),
  },
];

interface Opened {
  readonly plane: BenchPlane;
  readonly clients: Clients;
  readonly streams: number;
  /** Resident memory before the streams, KB. */
  readonly before: number;
}

async function withStreams(
  { brief }: WindowOptions,
  measure: (opened: Opened) => Promise<number>,
): Promise<number> {
  const { streams, processes } = brief ? BRIEF : WHOLE;
  await using plane = await openPlane();
  await plane.createEntry("/streamed");
  const path = plane.agent.agent.workloadSocket;
  await served(path);
  await using warm = await Clients.open(path, { streams: WARM, processes: 1 });
  await warm.had(1);
  await warm.close();
  const before = await residentKb();
  await using clients = await Clients.open(path, { streams, processes });
  await clients.had(1);
  return await measure({ plane, clients, streams, before });
}

async function weigh({ streams, before }: Opened): Promise<number> {
  return ((await residentKb()) - before) / streams;
}

/** A new authority reaches every stream by one message, without anything being signed for it. */
async function push({ plane: { server }, clients }: Opened): Promise<number> {
  const all = clients.had(2);
  const begun = performance.timeOrigin + performance.now();
  await server.local(LocalAuthority).prepareX509Authority({});
  return (await all) - begun;
}

/** Asks until there is an answer. */
async function served(path: string): Promise<void> {
  for (;;) {
    using channel = openUnixChannel(path);
    const headers = WORKLOAD_HEADERS;
    const stream = createClient(SpiffeWorkloadAPI, channel).fetchX509SVID({}, { headers });
    try {
      await stream.next();
      return;
    } catch {
      await sleep(50);
    } finally {
      await stream.return();
    }
  }
}

/** Processes of clients, and what they tell. */
class Clients implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];
  readonly #told: { readonly messages: number; readonly at: number }[] = [];
  #look: () => void = () => {};
  #failed = false;

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
    for (const child of children) {
      child.on("message", (told: { readonly messages: number; readonly at: number }) => {
        this.#told.push(told);
        this.#look();
      });
      child.on("exit", () => {
        this.#failed = true;
        this.#look();
      });
    }
  }

  static async open(
    path: string,
    { streams, processes }: { readonly streams: number; readonly processes: number },
  ): Promise<Clients> {
    const script = new URL("harness/stream-process.ts", import.meta.url);
    const children = Array.from({ length: processes }, () =>
      fork(script, [path, String(streams / processes)], { execArgv: [] }),
    );
    const clients = new Clients(children);
    await Promise.all(children.map((child) => once(child, "spawn")));
    return clients;
  }

  /** When the last of all streams had its n-th message, ms since the epoch. @throws when a stream ended */
  had(messages: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const all = this.#told.filter((told) => told.messages === messages);
        if (this.#failed) reject(new Error("a process of clients ended"));
        else if (all.length === this.#children.length) {
          resolve(Math.max(...all.map(({ at }) => at)));
        }
      };
      this.#look();
    });
  }

  async close(): Promise<void> {
    this.#look = () => {};
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null) return;
        const ended = once(child, "exit");
        child.disconnect();
        await ended;
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failed) return;
    await this.close();
  }
}

async function residentKb(): Promise<number> {
  await sleep(REST_MS);
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function")
    for (let i = 0; i < 3; i++) Reflect.apply(collect, undefined, []);
  return process.memoryUsage.rss() / 1024;
}
