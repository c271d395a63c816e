import { createServer, type Socket } from "node:net";
import { Echo } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { addService, createClient } from "@bonafide/rpc";
import { openTestServer } from "@bonafide/rpc/testing";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

const PATH = "/bonafide.testing.v1.Echo/Say";

/** An empty unary call over a unix socket, one after the other, against the same on bare grpc-js. */
export const benches: readonly Bench[] = [
  { name: "rpc-unary", unit: "us", target: null, run: measureUnary },
];

async function measureUnary({ windowMs }: WindowOptions): Promise<Sample> {
  await using opened = await openTestServer(() => "bench");
  addService(opened.server, Echo, { say: (request) => request });
  const echo = createClient(Echo, opened.channel());
  const bare = await openBare(`${opened.path}.bare`);
  try {
    const ours = (): Promise<unknown> => echo.say({});
    // Both in turns, so that what else the machine does falls on both.
    const turnMs = windowMs / 8;
    await perCall(ours, turnMs);
    await perCall(bare.call, turnMs);
    let value = Infinity;
    let yardstick = Infinity;
    for (let turn = 0; turn < 3; turn++) {
      value = Math.min(value, await perCall(ours, turnMs));
      yardstick = Math.min(yardstick, await perCall(bare.call, turnMs));
    }
    return sampleOf(value, yardstick);
  } finally {
    bare.close();
  }
}

/** Microseconds a call takes, one after the other for so long. */
async function perCall(call: () => Promise<unknown>, durationMs: number): Promise<number> {
  const start = performance.now();
  let calls = 0;
  do {
    await call();
    calls++;
  } while (performance.now() - start < durationMs);
  return ((performance.now() - start) * 1000) / calls;
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

interface Bare {
  readonly call: () => Promise<void>;
  readonly close: () => void;
}

/** The same call without protobuf-es, typed handlers and judged connections. */
async function openBare(path: string): Promise<Bare> {
  const server = new Server({ "grpc.enable_channelz": 0 });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  server.addService(
    {
      say: {
        path: PATH,
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    },
    {
      say: (call: { request: Buffer }, done: (e: null, b: Buffer) => void) =>
        done(null, call.request),
    },
  );
  const listener = createServer((socket: Socket) => injector.injectConnection(socket));
  await new Promise<void>((resolve) => {
    listener.listen(path, resolve);
  });
  const client = new Client(`unix:${path}`, credentials.createInsecure(), {
    "grpc.enable_channelz": 0,
  });
  return {
    call: () =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(PATH, asIs, asIs, Buffer.alloc(0), (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      }),
    close: () => {
      client.close();
      listener.close();
      server.forceShutdown();
    },
  };
}
