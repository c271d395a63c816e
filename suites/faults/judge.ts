import { once } from "node:events";
import { createServer, type Server, type TLSSocket } from "node:tls";
import {
  type SpiffeId,
  secureContextOptions,
  verifyX509Svid,
  type X509Source,
} from "@bonafide/spiffe";

/** What a workload showed, once. */
export interface Presentation {
  /** Which process, by its number. */
  readonly number: number;
  /** When it began to connect, epoch ms. */
  readonly at: number;
  readonly id: SpiffeId;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * The other end of the workloads' connections. It takes whatever certificate they show, so that an expired one is seen
 * and not merely refused, and proves by the bundle that it is genuine.
 */
export class Judge implements AsyncDisposable {
  readonly presented: Presentation[] = [];
  /** Chains that no authority vouched for, or lines that could not be read: there must be none. */
  readonly wrong: string[] = [];
  readonly #server: Server;
  readonly #source: X509Source;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(source: X509Source) {
    this.#source = source;
    this.#server = createServer({
      ...secureContextOptions(source.current()),
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#server.on("secureConnection", (socket) => {
      this.#take(socket);
    });
    this.#server.on("tlsClientError", (_error, socket) => {
      // A workload that was killed, or that gave up; what it did not show does not count.
      socket.destroy();
    });
  }

  /** @param source  The judge's own identity, of a life that outlasts the suite. */
  static async open(source: X509Source): Promise<Judge> {
    const judge = new Judge(source);
    judge.#server.listen(0, "127.0.0.1");
    await once(judge.#server, "listening");
    return judge;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** The newest presentation of each process. */
  latest(): ReadonlyMap<number, Presentation> {
    return new Map(this.presented.map((each) => [each.number, each]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #take(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("end", () => {
      const leaf = socket.getPeerX509Certificate();
      const [, number, at] = /^(\d+) (\d+)\n$/.exec(text) ?? [];
      socket.end();
      if (leaf === undefined || number === undefined || at === undefined) {
        this.wrong.push(
          `${JSON.stringify(text)} with${leaf === undefined ? "out" : ""} a certificate`,
        );
        return;
      }
      const notBefore = leaf.validFromDate.getTime();
      const notAfter = leaf.validToDate.getTime();
      try {
        // At a moment of its life: whether it has expired is asked elsewhere.
        const { bundles } = this.#source.context();
        const { id } = verifyX509Svid([leaf.raw], bundles, { now: notBefore + 1000 });
        const serial = leaf.serialNumber;
        this.presented.push({
          number: Number(number),
          at: Number(at),
          id,
          serial,
          notBefore,
          notAfter,
        });
      } catch (error) {
        this.wrong.push(String(error));
      }
    });
  }
}
