import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { Echo } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { setLogger } from "@grpc/grpc-js";
import { addService, createClient } from "./index.ts";
import { openTestServer } from "./testing/index.ts";

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals without an index. */
function block(headers: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value, "latin1"),
  ]);
  return Buffer.concat(parts);
}

/** A Duplex over a socket: Node hands its streams over a turn later than those of a plain socket. */
function wrap(socket: Socket): Duplex {
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      socket.write(chunk, done);
    },
    final(done) {
      socket.end(done);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  duplex.on("error", () => {});
  socket.on("data", (chunk) => duplex.push(chunk));
  socket.on("end", () => duplex.push(null));
  socket.on("close", () => duplex.destroy());
  return duplex;
}

const ENDS = {
  "reset in the same packet": frame(3, 0, 1, Buffer.from([0, 0, 0, 8])),
  "on a connection that errs in the same packet": frame(0, 0, 0, Buffer.from([0])),
};

for (const [how, end] of Object.entries(ENDS)) {
  for (const [what, path, type] of [
    ["of an unknown method", "/no.such/Thing", "application/grpc"],
    ["that is no gRPC", "/bonafide.testing.v1.Echo/Say", "text/plain"],
    ["of a known method", "/bonafide.testing.v1.Echo/Say", "application/grpc"],
  ] as const) {
    test(`a call ${what}, ${how}, does not end the server`, async () => {
      await using opened = await openTestServer(() => "peer", { wrap });
      addService(opened.server, Echo, { say: (request) => request });
      const headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "content-type": type,
        te: "trailers",
      };
      const client = connect(opened.path);
      client.resume();
      const opening = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      const settings = frame(4, 0, 0, Buffer.alloc(0));
      client.end(Buffer.concat([opening, settings, frame(1, 4, 1, block(headers)), end]));
      await once(client, "close");
      const echo = createClient(Echo, opened.channel());
      assert.equal((await echo.say({ text: "still here" })).text, "still here");
    });
  }
}

test("what a caller sends is not written to standard error by the transport", async () => {
  const written: unknown[] = [];
  setLogger({ error: (...words: unknown[]) => written.push(...words) });
  await using opened = await openTestServer(() => "peer");
  addService(opened.server, Echo, { say: (request) => request });
  const client = connect(opened.path);
  const headers = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/bonafide.testing.v1.Echo/Say",
    ":authority": "localhost",
    "content-type": "application/grpc",
    note: "tr\u00fce",
  };
  const opening = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  client.write(
    Buffer.concat([opening, frame(4, 0, 0, Buffer.alloc(0)), frame(1, 5, 1, block(headers))]),
  );
  // Settings, their acknowledgement, and then the answer to the call.
  let read = Buffer.alloc(0);
  for await (const chunk of client) {
    read = Buffer.concat([read, chunk]);
    if (read.includes("grpc-status") || read.length > 60) break;
  }
  client.destroy();
  assert.deepEqual(written, []);
});

test("a request that comes in more pieces than it may is cut off, and its message never read", async () => {
  let ran = 0;
  await using opened = await openTestServer(() => "peer", { requestFramesMax: 10 });
  addService(opened.server, Echo, {
    say(request) {
      ran++;
      return request;
    },
  });
  const pieces = (count: number): Buffer => {
    const message = Buffer.from([0, 0, 0, 0, count, ...Buffer.alloc(count)]);
    return Buffer.concat([...message].map((byte) => frame(0, 0, 1, Buffer.from([byte]))));
  };
  const headers = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/bonafide.testing.v1.Echo/Say",
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
  };
  const client = connect(opened.path);
  const opening = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  client.write(
    Buffer.concat([
      opening,
      frame(4, 0, 0, Buffer.alloc(0)),
      frame(1, 4, 1, block(headers)),
      pieces(100),
    ]),
  );
  let read = Buffer.alloc(0);
  let reset: number | undefined;
  for await (const chunk of client) {
    read = Buffer.concat([read, chunk]);
    while (read.length >= 9 && read.length >= 9 + read.readUIntBE(0, 3)) {
      if (read.readUInt8(3) === 3) reset = read.readUInt32BE(9);
      read = read.subarray(9 + read.readUIntBE(0, 3));
    }
    if (reset !== undefined) break;
  }
  client.destroy();
  assert.equal(reset, 11, "ENHANCE_YOUR_CALM");
  assert.equal(ran, 0);
  const echo = createClient(Echo, opened.channel());
  assert.equal((await echo.say({ padding: new Uint8Array(100_000) })).padding.length, 100_000);
});
