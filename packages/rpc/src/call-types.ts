import type { EpochMs } from "@bonafide/lifetime";
import type { DescMessage, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Encoded } from "./codec.ts";
import type { Connection } from "./connection.ts";

/** A call as it arrives, before its first message is read. */
export interface IncomingCall<Peer> {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Full name of the service. */
  readonly service: string;
  /** Name of the method, as the proto spells it. */
  readonly method: string;
  /** Who is at the other end, as whoever injected the connection found out. */
  readonly peer: Peer;
  /** The connection the call came by. */
  readonly connection: Connection;
  /** The values of one header, in order; empty if it is absent. Names in any case; text headers only. */
  readonly headers: (name: string) => readonly string[];
}

/** What a handler knows beside the request. */
export interface CallContext<Peer> extends IncomingCall<Peer> {
  /** Aborts when the caller cancels, its deadline passes, its connection ends, or the call is over. */
  readonly signal: AbortSignal;
  /** Until when the caller waits; undefined for ever. */
  readonly deadline: EpochMs | undefined;
}

interface MethodShape {
  readonly methodKind: string;
  readonly input: DescMessage;
  readonly output: DescMessage;
}

type MethodOf<S extends DescService, K extends keyof S["method"]> = S["method"][K] & MethodShape;

type Sent<D extends DescMessage> = MessageInitShape<D> | Encoded<D>;

type Handler<M extends MethodShape, Peer> = M["methodKind"] extends "unary"
  ? (
      request: MessageShape<M["input"]>,
      context: CallContext<Peer>,
    ) => Promise<Sent<M["output"]>> | Sent<M["output"]>
  : M["methodKind"] extends "server_streaming"
    ? (
        request: MessageShape<M["input"]>,
        context: CallContext<Peer>,
      ) => AsyncIterable<Sent<M["output"]>>
    : M["methodKind"] extends "client_streaming"
      ? (
          requests: AsyncIterable<MessageShape<M["input"]>>,
          context: CallContext<Peer>,
        ) => Promise<Sent<M["output"]>>
      : (
          requests: AsyncIterable<MessageShape<M["input"]>>,
          context: CallContext<Peer>,
        ) => AsyncIterable<Sent<M["output"]>>;

/**
 * The handlers of a service, by the generated names of its methods.
 *
 * A handler throws coded errors and never builds a status. One that streams answers is an async generator that
 * watches `context.signal` wherever it waits; its `finally` blocks run however the call ends.
 */
export type Handlers<S extends DescService, Peer> = {
  readonly [K in keyof S["method"]]: Handler<MethodOf<S, K>, Peer>;
};

/** How one call is made. */
export interface CallOptions {
  /**
   * Deadline in ms from now. Default of a call that answers once: the channel's (10 s); of one that answers with a
   * stream: none, and the connection's keepalive bounds a silent peer. Infinity, and more than 24 days: none.
   */
  readonly timeoutMs?: number;
  /** Cancels the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Headers to send, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Wait for a connection until the deadline instead of failing at the first refusal. Default false. */
  readonly waitForReady?: boolean;
}

type ClientMethod<M extends MethodShape> = M["methodKind"] extends "unary"
  ? (
      request: MessageInitShape<M["input"]>,
      options?: CallOptions,
    ) => Promise<MessageShape<M["output"]>>
  : M["methodKind"] extends "server_streaming"
    ? (
        request: MessageInitShape<M["input"]>,
        options?: CallOptions,
      ) => AsyncGenerator<MessageShape<M["output"]>, void, void>
    : M["methodKind"] extends "client_streaming"
      ? (
          requests: AsyncIterable<MessageInitShape<M["input"]>>,
          options?: CallOptions,
        ) => Promise<MessageShape<M["output"]>>
      : (
          requests: AsyncIterable<MessageInitShape<M["input"]>>,
          options?: CallOptions,
        ) => AsyncGenerator<MessageShape<M["output"]>, void, void>;

/**
 * The methods of a service to call. Failures are {@link RpcError}. A call that answers with a stream starts when the
 * stream is first asked for a message, and ends with the loop over it, however that ends.
 */
export type Client<S extends DescService> = {
  readonly [K in keyof S["method"]]: ClientMethod<MethodOf<S, K>>;
};
