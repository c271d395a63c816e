import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { patchAuthority } from "./patched-socket.ts";
import { frame, PREFACE } from "./testing/frames.ts";
import { HpackEncoder } from "./testing/hpack-encoder.ts";
import { Seeded } from "./testing/seeded.ts";

const LEGAL = /^[!$%&'()*+,\-.0-9:;=A-Z[\]_a-z~]+$/;
const AUTHORITIES: [string, ...string[]] = [
  "/tmp/a.sock",
  "localhost",
  "/run/spire/agent/public/api.sock",
  `/x/${"y/".repeat(70)}`,
  "/p/ab#{}|^ab#{}|^",
  "/tmp/\u00fc",
];
type Sent = Readonly<Record<string, string>>;

/** One client's bytes: requests in every representation, split, padded, between pings. */
function session(random: Seeded, connection: number, sent: Map<string, Sent>): Buffer {
  const encoder = new HpackEncoder();
  const frames = [PREFACE, frame({ type: 4, flags: 0, stream: 0 })];
  for (let request = 0; request < 40; request++) {
    const headers: Record<string, string> = {
      ":method": "POST",
      ":scheme": "http",
      ":path": `/a/${random.below(5)}`,
      ":authority": random.pick(AUTHORITIES),
      "x-id": `${connection}-${request}`,
    };
    for (let n = random.below(5); n > 0; n--) {
      headers[`x-h${random.below(9)}`] = `/v:${"w".repeat(random.below(200))}`;
    }
    sent.set(`${connection}-${request}`, headers);
    const block = Buffer.concat(
      Object.entries(headers).map(([name, value]) =>
        encoder.encode(name, value, {
          coded: random.below(3) > 0,
          indexed: random.below(4) > 0,
        }),
      ),
    );
    const cut = random.below(3) === 0 ? random.below(block.length) : block.length;
    const pad = random.below(3) === 0 ? random.below(40) : undefined;
    const first = block.subarray(0, cut);
    const stream = 1 + 2 * request;
    const end = cut === block.length ? 4 : 0;
    frames.push(
      pad === undefined
        ? frame({ type: 1, flags: 1 | end, stream }, first)
        : frame(
            { type: 1, flags: 1 | 8 | end, stream },
            Buffer.concat([Buffer.from([pad]), first, Buffer.alloc(pad)]),
          ),
    );
    if (end === 0) frames.push(frame({ type: 9, flags: 4, stream }, block.subarray(cut)));
    if (random.below(4) === 0)
      frames.push(frame({ type: 6, flags: 0, stream: 0 }, Buffer.alloc(8)));
  }
  return Buffer.concat(frames);
}

test("no request is lost and no header but an illegal authority changes (seed 5)", async (t) => {
  const folder = mkdtempSync("/tmp/bf-");
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const http2 = createHttp2();
  const seen = new Map<string, Readonly<Record<string, unknown>>>();
  const sent = new Map<string, Sent>();
  const random = new Seeded(5);
  const done = new Promise<void>((resolve) => {
    http2.on("stream", (stream: ServerHttp2Stream, headers) => {
      seen.set(String(headers["x-id"]), headers);
      stream.respond({ ":status": 200 });
      stream.end();
      if (seen.size === 20 * 40) resolve();
    });
  });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    http2.emit("connection", patchAuthority(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(join(folder, "s"), resolve);
  });
  const clients = Array.from({ length: 20 }, (_, connection) => {
    const bytes = session(random, connection, sent);
    const client = connect(join(folder, "s"));
    client.resume();
    client.on("error", () => {});
    const most = [7, 50, 4000, 1_000_000][connection % 4] ?? 7;
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random.below(most);
      client.write(bytes.subarray(at, at + size));
      at += size;
    }
    return client;
  });
  await done;
  for (const [id, headers] of sent) {
    const got = seen.get(id);
    for (const [name, value] of Object.entries(headers)) {
      if (name === ":authority" && !LEGAL.test(value)) {
        assert.match(String(got?.[name]), LEGAL);
        assert.equal(String(got?.[name]).length, Buffer.byteLength(value));
      } else {
        assert.equal(got?.[name], value, `${name} of ${id}`);
      }
    }
  }
  for (const client of clients) client.destroy();
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

test("closing either end closes the other, and a reset ends nothing but itself", async (t) => {
  const folder = mkdtempSync("/tmp/bf-");
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(join(folder, "s"), resolve);
  });
  const accept = (): Promise<Socket> =>
    new Promise((resolve) => {
      server.once("connection", resolve);
    });
  for (const side of ["client", "server"] as const) {
    const accepted = accept();
    const client = connect(join(folder, "s"));
    client.on("error", () => {});
    const patched = patchAuthority(await accepted);
    patched.resume();
    const both = Promise.all([
      new Promise((resolve) => patched.once("close", resolve)),
      new Promise((resolve) => client.once("close", resolve)),
    ]);
    client.resume();
    if (side === "client") client.destroy();
    else patched.destroy(new Error("reset"));
    await both;
  }
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
