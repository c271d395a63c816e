import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";

/** Changes what a client sends, chunk by chunk. */
export type Tamper = (chunk: Buffer) => Buffer;

/** Somebody on the wire between a client and a server: records, and changes what the client sends. */
export class TamperingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  /** What the clients sent, before it was changed. */
  readonly recorded: Buffer[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param target  Port of the server on 127.0.0.1. */
  static async open(target: number, tamper: Tamper = (chunk) => chunk): Promise<TamperingProxy> {
    const server = createServer((client) => {
      const upstream = connect(target, "127.0.0.1");
      client.on("data", (chunk: Buffer) => {
        proxy.recorded.push(Buffer.from(chunk));
        upstream.write(tamper(chunk));
      });
      upstream.on("data", (chunk) => client.write(chunk));
      for (const [one, two] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on("error", () => {});
        one.on("close", () => two.destroy());
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const proxy = new TamperingProxy(server, port);
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await Promise.resolve();
  }
}

const HANDSHAKE = 22;
const CERTIFICATE = 11;

/**
 * Puts another chain into the Certificate message of a TLS 1.2 client, which travels in the clear (RFC 5246 §7.4.2).
 *
 * @param chain  DER, leaf first.
 * @param onSwap  Told when it was done.
 */
export function swapCertificate(chain: readonly Uint8Array[], onSwap: () => void): Tamper {
  const list = Buffer.concat(chain.flatMap((der) => [length3(der.length), Buffer.from(der)]));
  const body = Buffer.concat([length3(list.length), list]);
  const message = Buffer.concat([Buffer.from([CERTIFICATE]), length3(body.length), body]);
  return (chunk) => {
    const out: Buffer[] = [];
    for (let at = 0; at + 5 <= chunk.length;) {
      const end = at + 5 + chunk.readUInt16BE(at + 3);
      const record = chunk.subarray(at, end);
      at = end;
      if (record[0] !== HANDSHAKE || record[5] !== CERTIFICATE) {
        out.push(record);
        continue;
      }
      onSwap();
      const rest = record.subarray(5 + 4 + record.readUIntBE(6, 3));
      const content = Buffer.concat([message, rest]);
      const header = Buffer.from(record.subarray(0, 5));
      header.writeUInt16BE(content.length, 3);
      out.push(header, content);
    }
    return Buffer.concat(out);
  };
}

function length3(length: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(length, 0, 3);
  return bytes;
}
