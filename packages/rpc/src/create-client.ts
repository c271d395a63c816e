import { setImmediate as nextTurn } from "node:timers/promises";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import type { CallOptions, Client } from "./call-types.ts";
import type { Channel } from "./channel.ts";
import { methodDefinition, streamsIn, streamsOut } from "./codec.ts";
import { readStatus } from "./render-status.ts";
import { RpcError } from "./rpc-errors.ts";

/** Gives the methods of a service on a channel. Clients are free to make and need no closing. */
export function createClient<S extends DescService>(service: S, channel: Channel): Client<S> {
  const client: Record<string, unknown> = {};
  for (const method of service.methods) client[method.localName] = clientMethod(channel, method);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one member for each method, made from it
  return client as Client<S>;
}

type Requests = AsyncIterable<unknown>;

/** A deadline beyond this overflows in grpc-js servers, which then end the call at once; it means none. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Requests of a stream that are written before everybody else has a turn. */
const WRITES_PER_TURN = 16;

/** The part of grpc-js's call objects that all kinds have. */
interface RunningCall {
  cancel(): void;
}

interface WritingCall {
  write(message: unknown): boolean;
  end(): unknown;
  cancel(): void;
  on(event: "drain" | "status" | "error" | "close", listener: () => void): unknown;
}

function clientMethod(channel: Channel, method: DescMethod): unknown {
  const { grpc } = channel;
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  if (!streamsOut(method)) {
    return (request: unknown, options: CallOptions = {}): Promise<unknown> =>
      once(channel, options, (metadata, done) => {
        const limits = deadline(options.timeoutMs ?? channel.timeoutMs);
        if (!streamsIn(method)) {
          return grpc.makeUnaryRequest(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            metadata,
            limits,
            done,
          );
        }
        const call = grpc.makeClientStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          metadata,
          limits,
          done,
        );
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- typed by Client
        return feed(call, request as Requests);
      });
  }
  return (request: unknown, options: CallOptions = {}): AsyncGenerator<unknown, void, void> =>
    many(channel, options, (metadata) => {
      const limits = deadline(options.timeoutMs ?? Number.POSITIVE_INFINITY);
      if (!streamsIn(method)) {
        const call = grpc.makeServerStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          limits,
        );
        return { call, answers: call };
      }
      const call = grpc.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        metadata,
        limits,
      );
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- typed by Client
      return { call: feed(call, request as Requests), answers: call };
    });
}

function once(
  channel: Channel,
  options: CallOptions,
  start: (
    metadata: Metadata,
    done: (error: ServiceError | null, answer?: unknown) => void,
  ) => RunningCall & Fed,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    throwUnlessReady(channel, options);
    let call: (RunningCall & Fed) | undefined;
    const onAbort = (): void => call?.cancel();
    call = start(metadataOf(options), (error, answer) => {
      options.signal?.removeEventListener("abort", onAbort);
      if (error === null) resolve(answer);
      else reject(failure(error, options, call));
    });
    options.signal?.addEventListener("abort", onAbort, { once: true });
  });
}

async function* many(
  channel: Channel,
  options: CallOptions,
  start: (metadata: Metadata) => { call: RunningCall & Fed; answers: Answers },
): AsyncGenerator<unknown, void, void> {
  throwUnlessReady(channel, options);
  const { call, answers } = start(metadataOf(options));
  const onAbort = (): void => call.cancel();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  // The status of a call that is left early comes when nobody iterates any more.
  answers.on("error", () => {});
  try {
    yield* answers;
  } catch (error) {
    throw isServiceError(error) ? failure(error, options, call) : error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    call.cancel();
  }
}

interface Answers extends AsyncIterable<unknown> {
  on(event: "error", listener: () => void): unknown;
}

/** What the caller's own request stream threw, if it did: it is the reason then, not the cancel that followed. */
interface Fed {
  readonly feedError?: { readonly error: unknown };
}

/** Writes the requests of a call, no faster than they are taken. */
function feed(call: WritingCall, requests: Requests): RunningCall & Fed {
  const fed: { feedError?: { error: unknown }; cancel(): void } = { cancel: () => call.cancel() };
  const iterator = requests[Symbol.asyncIterator]();
  let over = false;
  let wake: (() => void) | undefined;
  const onOver = (): void => {
    if (over) return;
    over = true;
    wake?.();
    Promise.resolve(iterator.return?.()).catch(() => {
      // The call is over; its own outcome is what the caller gets.
    });
  };
  call.on("drain", () => wake?.());
  for (const event of ["status", "error", "close"] as const) call.on(event, onOver);
  const write = async (): Promise<void> => {
    for (let asked = 1; ; asked++) {
      const next = await iterator.next();
      if (over) return;
      if (next.done === true) {
        call.end();
        return;
      }
      if (!call.write(next.value)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      // Before there is a connection grpc-js takes a megabyte, and says "go on" without ever letting go of the loop.
      if (asked % WRITES_PER_TURN === 0) await nextTurn();
    }
  };
  write().catch((error: unknown) => {
    if (over) return;
    fed.feedError = { error };
    call.cancel();
  });
  return fed;
}

function throwUnlessReady(channel: Channel, { signal }: CallOptions): void {
  signal?.throwIfAborted();
  if (channel.closed) throw new RpcError("failed_precondition", "the channel is closed");
}

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata({ waitForReady: options.waitForReady ?? false });
  for (const [name, value] of Object.entries(options.headers ?? {})) metadata.set(name, value);
  return metadata;
}

function deadline(timeoutMs: number): { deadline?: number } {
  return timeoutMs <= TIMEOUT_MS_MAX ? { deadline: Date.now() + timeoutMs } : {};
}

function failure(error: ServiceError, options: CallOptions, call: Fed | undefined): unknown {
  if (call?.feedError !== undefined) return call.feedError.error;
  const failed = readStatus(error);
  const ours = failed.status === "cancelled" && options.signal?.aborted === true;
  return ours ? options.signal?.reason : failed;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "metadata" in error && "details" in error && "code" in error;
}
