import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { Duplex } from "node:stream";
import type { DescMethod } from "@bufbuild/protobuf";
import { type HostileInput, hostileGrpcFrame, pathOf } from "./hostile-frames.ts";
import { type Patience, whenOver } from "./patience.ts";
import type { Next } from "./random-numbers.ts";

/** How a hostile connection ended; `open` is a fault unless the sender was the one that fell silent. */
export type HostileEnd = "closed" | "answered" | "open";

/** Opens a connection to the server. */
export type Connect = () => Promise<Duplex>;

/**
 * Sends one input on a connection of its own and waits for its end.
 *
 * @param patience  Of one that stays silent, until it is let go.
 */
export async function sendHostile(
  open: Connect,
  input: HostileInput,
  patience: Patience,
): Promise<HostileEnd> {
  const socket = await open();
  const read: Buffer[] = [];
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => read.push(chunk));
  const closed = new Promise<"closed">((resolve) => {
    socket.once("close", () => {
      resolve("closed");
    });
    socket.once("end", () => {
      socket.destroy();
    });
  });
  if (input.ends) socket.end(input.bytes);
  else socket.write(input.bytes);
  const late = Promise.withResolvers<"open">();
  const cancel = whenOver(patience, () => {
    late.resolve("open");
  });
  const end = await Promise.race([closed, late.promise]);
  cancel();
  if (end === "closed") return "closed";
  socket.destroy();
  await closed;
  return hasAnswer(Buffer.concat(read)) ? "answered" : "open";
}

/** How a hostile call ended: its gRPC status, or `reset` by the server. */
export type HostileAnswer = number | "reset" | "open";

/** A session for many calls; made anew when the server closed the last one. */
export class HostileSession implements AsyncDisposable {
  readonly #open: Connect;
  #session: ClientHttp2Session | undefined;

  constructor(open: Connect) {
    this.#open = open;
  }

  /** Calls a method with a hostile message, and waits for the first answer or the end. */
  async call(next: Next, method: DescMethod, patience: Patience): Promise<HostileAnswer> {
    const session = await this.#live();
    const stream = session.request({
      ":method": "POST",
      ":path": pathOf(method),
      "content-type": "application/grpc",
      te: "trailers",
      "workload.spiffe.io": "true",
    });
    const { promise, resolve } = Promise.withResolvers<HostileAnswer>();
    const cancel = whenOver(patience, () => {
      resolve("open");
    });
    const status = (headers: Record<string, unknown>): void => {
      if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
    };
    stream.on("response", status);
    stream.on("trailers", status);
    // A message is an answer too; of a stream that lasts, the only one.
    stream.on("data", () => {
      resolve(0);
    });
    stream.on("error", () => {});
    const closed = new Promise<void>((done) => {
      stream.once("close", () => {
        resolve("reset");
        done();
      });
    });
    stream.end(hostileGrpcFrame(next, method));
    const answer = await promise;
    cancel();
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    await closed;
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    if (session === undefined || session.destroyed) return;
    session.destroy();
    await new Promise<void>((resolve) => {
      if (session.closed && session.destroyed) resolve();
      else session.once("close", resolve);
    });
  }

  async #live(): Promise<ClientHttp2Session> {
    const held = this.#session;
    if (held !== undefined && !held.closed && !held.destroyed) return held;
    const socket = await this.#open();
    const session = connect("http://localhost", { createConnection: () => socket });
    session.on("error", () => {});
    this.#session = session;
    return session;
  }
}

/** Whether the server sent HEADERS, RST_STREAM or GOAWAY: more than its greeting. */
function hasAnswer(bytes: Buffer): boolean {
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if ([1, 3, 7].includes(bytes.readUInt8(at + 3))) return true;
  }
  return false;
}
