import { systemClock } from "@bonafide/lifetime";
import type { ChannelCredentials } from "@grpc/grpc-js";
import type { X509Svid } from "../svid/x509-svid.ts";
import type { TlsConnectorOptions } from "./connector.ts";
import { grpcCredentials } from "./grpc-client.ts";

/** What every generated grpc-js client can do. */
export interface ClosableClient {
  /** Lets running calls end, then the connection. */
  close(): void;
  waitForReady(deadline: Date | number, callback: (error?: Error) => void): void;
}

/** Options of {@link openRotatingGrpcClient}. */
export interface RotatingGrpcClientOptions<C extends ClosableClient> extends TlsConnectorOptions {
  /** Makes a client of a new connection. */
  readonly open: (credentials: ChannelCredentials) => C;
  /** How long a new connection may take before the old one is kept until the next try, ms, default 10,000. */
  readonly readyMs?: number;
  /**
   * How long the old client stays open after the move, ms, default 5000: grpc-js fails calls that were made just before
   * their channel closes and have not got a stream yet.
   */
  readonly graceMs?: number;
}

/** A client that moves to a new connection when our SVID rotates. */
export interface RotatingGrpcClient<C> extends AsyncDisposable {
  /** The client to make the next call with; do not keep it. */
  readonly current: C;
  /** Closes it; running calls end by themselves. Idempotent. */
  close(): Promise<void>;
}

/**
 * Keeps a gRPC client on a connection that presents our newest SVID: a new connection is made first, then the old one is
 * let go, and its running calls go on to their end. So no call fails because of a rotation.
 */
export function openRotatingGrpcClient<C extends ClosableClient>(
  options: RotatingGrpcClientOptions<C>,
): RotatingGrpcClient<C> {
  return new Rotating(options);
}

class Rotating<C extends ClosableClient> implements RotatingGrpcClient<C> {
  readonly #options: RotatingGrpcClientOptions<C>;
  readonly #ending = new AbortController();
  readonly #following: Promise<void>;
  readonly #retiring = new Set<C>();
  #svid: X509Svid | undefined;
  #current: C;

  constructor(options: RotatingGrpcClientOptions<C>) {
    this.#options = options;
    this.#svid = options.source.context().svid;
    this.#current = options.open(grpcCredentials(options));
    this.#following = this.#follow();
  }

  get current(): C {
    return this.#current;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#current.close();
    for (const old of this.#retiring) old.close();
    this.#retiring.clear();
    await this.#following;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(): Promise<void> {
    const { source, open, readyMs = 10_000 } = this.#options;
    const { signal } = this.#ending;
    for await (const { svid } of source.updates({ signal })) {
      if (svid === this.#svid || svid === undefined) continue;
      const next = open(grpcCredentials(this.#options));
      // Not ready in time: the server is away, and the old connection is no worse.
      if ((await isReady(next, readyMs, signal)) && !signal.aborted) {
        this.#svid = svid;
        const old = this.#current;
        this.#current = next;
        void this.#retire(old);
      } else next.close();
    }
  }

  /** Never rejects: the sleep ends early by our own signal only, and then `close` has closed it. */
  async #retire(old: C): Promise<void> {
    const { clock = systemClock, graceMs = 5000 } = this.#options;
    this.#retiring.add(old);
    try {
      await clock.sleep(graceMs, { signal: this.#ending.signal, unref: true });
    } catch {
      return;
    }
    this.#retiring.delete(old);
    old.close();
  }
}

function isReady(client: ClosableClient, ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const onAbort = (): void => {
      resolve(false);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    client.waitForReady(Date.now() + ms, (error) => {
      signal.removeEventListener("abort", onAbort);
      resolve(error === undefined || error === null);
    });
  });
}
