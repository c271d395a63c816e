import { BonafideError } from "@bonafide/errors";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import type { CallContext, Handlers } from "./call-types.ts";
import { streamsIn, streamsOut } from "./codec.ts";
import { pump } from "./pump.ts";
import { RPC_SERVER_ERRORS, type RpcServer } from "./rpc-server.ts";

/** A handler without its types; they were checked where it was given. */
type AnyHandler<Peer> = (request: unknown, context: CallContext<Peer>) => unknown;
type Unary = ServerUnaryCall<unknown, unknown>;
type Stream = ServerDuplexStream<unknown, unknown>;

/**
 * Adds a service to a server. Methods without a handler answer UNIMPLEMENTED.
 *
 * @param handlers  By the generated names of the methods; called with `this` as it is here.
 */
export function addService<S extends DescService, Peer>(
  server: RpcServer<Peer>,
  service: S,
  handlers: Partial<Handlers<S, Peer>>,
): void {
  const table: Record<string, UntypedHandleCall> = {};
  for (const method of service.methods) {
    const handler: unknown = Reflect.get(handlers, method.localName);
    if (typeof handler !== "function") continue;
    table[method.localName] = handle(server, method, (request, context): unknown =>
      Reflect.apply(handler, handlers, [request, context]),
    );
  }
  server.install(service, table);
}

function handle<Peer>(
  server: RpcServer<Peer>,
  method: DescMethod,
  handler: AnyHandler<Peer>,
): UntypedHandleCall {
  const requestOf = streamsIn(method)
    ? // Leaving the plain iterator destroys the call, and the answers with it; this one does not.
      (call: Stream): unknown => call.iterator({ destroyOnReturn: false })
    : (call: Stream): unknown => Reflect.get(call, "request");
  if (streamsOut(method)) {
    return (call: Stream): void => {
      void stream(server, call, handler, requestOf(call));
    };
  }
  return (call: Stream | Unary, callback: sendUnaryData<unknown>): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only a streaming request uses more
    void once(server, call, handler, requestOf(call as Stream), callback);
  };
}

async function once<Peer>(
  server: RpcServer<Peer>,
  call: Stream | Unary,
  handler: AnyHandler<Peer>,
  request: unknown,
  callback: sendUnaryData<unknown>,
): Promise<void> {
  let answer: unknown;
  try {
    answer = await handler(request, contextOf(server, call));
  } catch (error) {
    callback(server.fail(call.metadata, error));
    return;
  }
  callback(null, answer);
}

async function stream<Peer>(
  server: RpcServer<Peer>,
  call: Stream,
  handler: AnyHandler<Peer>,
  request: unknown,
): Promise<void> {
  try {
    const context = contextOf(server, call);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- typed by Handlers
    const answers = handler(request, context) as AsyncIterable<unknown>;
    await pump(call, answers, context.signal);
  } catch (error) {
    // Not destroy(): only the error event carries a status with its metadata.
    call.emit("error", server.fail(call.metadata, error));
  }
}

function contextOf<Peer>(server: RpcServer<Peer>, call: SomeCall): CallContext<Peer> {
  const incoming = server.incoming(call.metadata);
  if (incoming === undefined) {
    throw new BonafideError(RPC_SERVER_ERRORS, "CONNECTION_UNKNOWN", "the call was not announced");
  }
  const deadline = Number(call.getDeadline());
  return {
    ...incoming.call,
    signal: incoming.signal,
    deadline: Number.isFinite(deadline) ? deadline : undefined,
  };
}

interface SomeCall {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
}
