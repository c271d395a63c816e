import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A port that passes everything on to another one of this machine, and counts it. */
export class CountedWire implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #counted: { bytes: number };

  private constructor(server: Server, sockets: Set<Socket>, counted: { bytes: number }) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    this.#server = server;
    this.#sockets = sockets;
    this.#counted = counted;
  }

  /** Opens it on a port of its own. */
  static async open(target: number): Promise<CountedWire> {
    const sockets = new Set<Socket>();
    const counted = { bytes: 0 };
    const server = createServer((near) => {
      const far = connect(target, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on("data", (bytes) => (counted.bytes += bytes.length));
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
    server.listen(0);
    await once(server, "listening");
    return new CountedWire(server, sockets, counted);
  }

  /** Passed on so far, in both directions. */
  get bytes(): number {
    return this.#counted.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
