import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { BonafideError, type ErrorTable, type StatusName } from "@bonafide/errors";
import { type Clock, systemClock } from "@bonafide/lifetime";
import type { DescService } from "@bufbuild/protobuf";
import {
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { IncomingCall } from "./call-types.ts";
import { methodDefinition } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { guardStreams } from "./guard-streams.ts";
import { injectedDuplex } from "./injected-duplex.ts";
import { CONNECTIONS_MAX, MESSAGE_BYTES_MAX, STREAMS_PER_CONNECTION_MAX } from "./limits.ts";
import { renderStatus } from "./render-status.ts";
import { statusName } from "./status.ts";

/** Codes of what the server side of the transport refuses by itself. */
export const RPC_SERVER_ERRORS = {
  /** The call came by a connection nobody vouched for. */
  CONNECTION_UNKNOWN: { status: "unauthenticated", retry: false },
  /** Asked for the health of a service that has none. */
  HEALTH_SERVICE_UNKNOWN: { status: "not_found", retry: false },
  /** More requests on one reflection stream than its limit. */
  REFLECTION_TOO_MUCH: { status: "resource_exhausted", retry: true },
} as const;
RPC_SERVER_ERRORS satisfies ErrorTable;

/** How a call ended. */
export interface CallReport<Peer> {
  /** The call. */
  readonly call: IncomingCall<Peer>;
  /** "ok", or the status that was sent; "cancelled" also for calls that the transport ended. */
  readonly status: StatusName | "ok";
  /** What the handler or the check threw; for the log, never for the caller. */
  readonly error?: unknown;
  /** From its headers to its end. */
  readonly durationMs: number;
}

/** Options of {@link openServer}. */
export interface RpcServerOptions<Peer> {
  /** For durations and the grace of a drain. Default: the machine's. */
  readonly clock?: Clock;
  /** Largest message in bytes, either way. Default {@link MESSAGE_BYTES_MAX}. */
  readonly messageBytesMax?: number;
  /** Largest request in bytes, where it is to be smaller than an answer. Default: as `messageBytesMax`. */
  readonly requestBytesMax?: number;
  /** Pieces (HTTP/2 data frames) that the requests of one call may come in. Default: any number. */
  readonly requestFramesMax?: number;
  /** Connections at a time. Default {@link CONNECTIONS_MAX}. */
  readonly connectionsMax?: number;
  /** Which services are installed; the others answer UNIMPLEMENTED. Default: all that are added. */
  readonly offers?: (service: DescService) => boolean;
  /** Running calls at a time on one connection. Default {@link STREAMS_PER_CONNECTION_MAX}. */
  readonly streamsPerConnectionMax?: number;
  /** A peer that answers no ping within 20 s is dropped; asked so often, in ms. Default 60_000; Infinity: never. */
  readonly keepaliveMs?: number;
  /** When callers should try again what failed for now, ms, where the failure does not say. Default: they are not told. */
  readonly retryAfterMs?: number;
  /**
   * Judges every call of a known method before its first message is read; throws a coded error to refuse it. The
   * place for required headers and for connections that are only there to be told why they are refused.
   */
  readonly check?: (call: IncomingCall<Peer>) => void;
  /** Told once of every call that got as far as `check`. Must not throw. */
  readonly observe?: (report: CallReport<Peer>) => void;
}

interface Facts<Peer> {
  readonly call: IncomingCall<Peer>;
  readonly startedMs: number;
  /** Aborts when the call is over. */
  readonly over: AbortController;
  error?: unknown;
  reported: boolean;
}

const KEEPALIVE_TIMEOUT_MS = 20_000;

/** Opens a server without any service or connection. It listens on nothing: give it connections by `inject`. */
export function openServer<Peer>(options: RpcServerOptions<Peer> = {}): RpcServer<Peer> {
  // At its usual level grpc-js writes headers that it does not like to standard error, as they came: lines of a log
  // that any caller could write.
  setLogVerbosity(logVerbosity.NONE);
  return new RpcServer(options);
}

/**
 * A gRPC server whose connections are accepted, and whose peers are judged, by somebody else.
 *
 * Nothing of HTTP/2 is read before a connection is injected with its peer, and no handler runs for a connection that
 * was not. Made by {@link openServer}.
 */
export class RpcServer<Peer> {
  readonly #options: RpcServerOptions<Peer>;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #services: DescService[] = [];
  readonly #connections = new Map<string, InjectedConnection<Peer>>();
  readonly #byDuplex = new WeakMap<object, InjectedConnection<Peer>>();
  readonly #facts = new WeakMap<Metadata, Facts<Peer>>();
  #count = 0;
  #closing = false;

  constructor(options: RpcServerOptions<Peer>) {
    const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX;
    const keepaliveMs = options.keepaliveMs ?? 60_000;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#server = new Server({
      "grpc.enable_channelz": 0,
      "grpc.max_receive_message_length": options.requestBytesMax ?? messageBytesMax,
      "grpc.max_send_message_length": messageBytesMax,
      "grpc.max_concurrent_streams": options.streamsPerConnectionMax ?? STREAMS_PER_CONNECTION_MAX,
      ...(Number.isFinite(keepaliveMs)
        ? {
            "grpc.keepalive_time_ms": keepaliveMs,
            "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
          }
        : {}),
      interceptors: [this.#intercept()],
    });
    guardStreams(this.#server, options.requestFramesMax);
  }

  /** The services added so far; what reflection lists. */
  get services(): readonly DescService[] {
    return this.#services;
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /**
   * Takes over a connection whose peer has been judged. Whatever was read from it must have been put back.
   *
   * A server that closes, or is full, closes the connection at once; the result's `closed` says so.
   *
   * @param socket  A socket, a TLS socket after its handshake, or any Duplex over one.
   * @param peer  What handlers get as `context.peer`.
   */
  inject(socket: Duplex, peer: Peer): Connection {
    const id = `conn-${++this.#count}`;
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const connection = new InjectedConnection(id, peer, socket, injector);
    socket.on("error", ignore);
    // HTTP/2 has no half-closed connections: whoever ends its side is gone, even if the listener would let it stay.
    socket.once("end", () => {
      socket.destroy();
    });
    socket.once("close", () => {
      this.#connections.delete(id);
      connection.end();
    });
    const full = this.#connections.size >= (this.#options.connectionsMax ?? CONNECTIONS_MAX);
    if (this.#closing || full || socket.destroyed) {
      socket.destroy();
      connection.end();
      return connection;
    }
    this.#connections.set(id, connection);
    if (socket instanceof Socket) {
      // The id comes back as call.getPeer(), which would add a port if there were one.
      Object.defineProperty(socket, "remoteAddress", { value: id, configurable: true });
      Object.defineProperty(socket, "remotePort", { value: undefined, configurable: true });
    } else this.#byDuplex.set(socket, connection);
    injector.injectConnection(socket);
    return connection;
  }

  /**
   * Ends the server gently: no new connections or calls; running calls may end within `graceMs`, then they are
   * cancelled. Resolves when all is closed.
   */
  async drain(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const connection of this.#connections.values()) connection.drain(graceMs);
    const grace = new AbortController();
    const gone = Promise.all(this.#gone()).finally(() => grace.abort());
    try {
      await this.#clock.sleep(graceMs, { signal: grace.signal });
    } catch {
      // All were gone before the grace was over.
    }
    await this.close();
    await gone;
  }

  /** Closes every connection at once and waits until they are gone. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    const gone = Promise.all(this.#gone());
    for (const connection of this.#connections.values()) connection.destroy();
    this.#server.forceShutdown();
    await gone;
  }

  /** The same as {@link RpcServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Adds untyped handlers: for addService only.
   *
   * @stability internal
   */
  install(service: DescService, table: UntypedServiceImplementation): void {
    if (this.#options.offers?.(service) === false) return;
    const definition = service.methods.map((m) => [m.localName, methodDefinition(m)] as const);
    this.#server.addService(Object.fromEntries(definition), table);
    this.#services.push(service);
  }

  /**
   * What is known of the call with this metadata object: for addService only.
   *
   * @stability internal
   */
  incoming(metadata: Metadata): { call: IncomingCall<Peer>; signal: AbortSignal } | undefined {
    const facts = this.#facts.get(metadata);
    return facts && { call: facts.call, signal: facts.over.signal };
  }

  /**
   * Turns what a handler threw into the status to send, and keeps it for the report: for addService only.
   *
   * @stability internal
   */
  fail(metadata: Metadata, error: unknown): ReturnType<typeof renderStatus> {
    const facts = this.#facts.get(metadata);
    if (facts !== undefined) facts.error = error;
    return renderStatus(error, this.#options.retryAfterMs);
  }

  #gone(): Promise<void>[] {
    return [...this.#connections.values()].map(
      ({ closed }) =>
        new Promise((resolve) => {
          closed.addEventListener("abort", () => resolve(), { once: true });
        }),
    );
  }

  #intercept(): ServerInterceptor {
    return (method, call) => {
      let facts: Facts<Peer> | undefined;
      return new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, proceed) => {
              try {
                facts = this.#arrive(method.path, metadata, call);
                this.#options.check?.(facts.call);
              } catch (error) {
                if (facts !== undefined) facts.error = error;
                const status = renderStatus(error, this.#options.retryAfterMs);
                this.#report(facts, statusName(status.code));
                call.sendStatus(status);
                return;
              }
              this.#facts.set(metadata, facts);
              proceed(metadata);
            },
            // Comes for a cancel, a deadline and a lost connection alike, and after the end of any call. The
            // event of the same name on the handler's call object is not sent if the cancel came first.
            onCancel: () => {
              this.#report(facts, "cancelled");
              facts?.over.abort();
            },
          }),
        sendStatus: (status, next) => {
          const code: number = status.code ?? 0;
          this.#report(facts, code === 0 ? "ok" : statusName(code));
          next(status);
        },
      });
    };
  }

  #arrive(path: string, metadata: Metadata, call: { getPeer(): string }): Facts<Peer> {
    const connection = this.#connections.get(call.getPeer()) ?? this.#ofDuplex(call);
    if (connection === undefined) {
      throw new BonafideError(
        RPC_SERVER_ERRORS,
        "CONNECTION_UNKNOWN",
        "the connection is not known",
      );
    }
    const [, service = "", method = ""] = path.split("/");
    return {
      call: {
        path,
        service,
        method,
        peer: connection.peer,
        connection,
        headers: (name) => metadata.get(name).filter((value) => typeof value === "string"),
      },
      startedMs: this.#clock.monotonicMs(),
      over: new AbortController(),
      reported: false,
    };
  }

  #ofDuplex(call: object): InjectedConnection<Peer> | undefined {
    const duplex = injectedDuplex(call);
    return duplex === undefined ? undefined : this.#byDuplex.get(duplex);
  }

  #report(facts: Facts<Peer> | undefined, status: StatusName | "ok"): void {
    if (facts === undefined || facts.reported) return;
    facts.reported = true;
    this.#options.observe?.({
      call: facts.call,
      status,
      ...(facts.error === undefined ? {} : { error: facts.error }),
      durationMs: this.#clock.monotonicMs() - facts.startedMs,
    });
  }
}

/** What grpc-js needs for one connection; one each, so that each can be drained alone. */
type Injector = ReturnType<Server["createConnectionInjector"]>;

class InjectedConnection<Peer> implements Connection {
  readonly id: string;
  readonly peer: Peer;
  readonly #socket: Duplex;
  readonly #injector: Injector;
  readonly #closed = new AbortController();

  constructor(id: string, peer: Peer, socket: Duplex, injector: Injector) {
    this.id = id;
    this.peer = peer;
    this.#socket = socket;
    this.#injector = injector;
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  drain(graceMs: number): void {
    this.#injector.drain(graceMs);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  end(): void {
    if (this.closed.aborted) return;
    this.#injector.destroy();
    this.#closed.abort();
  }
}

function ignore(): void {
  // A broken connection ends its calls as cancelled; there is nobody else to tell.
}
