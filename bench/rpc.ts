import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import { connect as connectSocket } from "node:net";
import { Echo } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { addService, createClient } from "@bonafide/rpc";
import { openTestServer } from "@bonafide/rpc/testing";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

/** An empty unary call over a unix socket, one after the other, against the same frames by hand. */
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

interface Bare {
  readonly call: () => Promise<void>;
  readonly close: () => void;
}

/** The same frames by hand: one request of five bytes, one answer of five bytes with trailers. */
async function openBare(path: string): Promise<Bare> {
  const frame = Buffer.alloc(5);
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.resume();
    stream.once("end", () => stream.end(frame));
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  const session = connect("http://localhost", { createConnection: () => connectSocket(path) });
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const request = session.request({
          ":method": "POST",
          ":path": "/bonafide.testing.v1.Echo/Say",
          "content-type": "application/grpc",
          te: "trailers",
        });
        request.once("error", reject);
        request.once("end", resolve);
        request.resume();
        request.end(frame);
      }),
    close: () => {
      session.close();
      server.close();
    },
  };
}
