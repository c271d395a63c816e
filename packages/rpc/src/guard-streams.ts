import type { Server } from "@grpc/grpc-js";

interface Stream {
  readonly destroyed: boolean;
  readonly closed: boolean;
  on(event: "error", listener: () => void): unknown;
}

/**
 * Keeps streams that are gone already away from grpc-js.
 *
 * A client that opens a stream and resets it in one packet, or errs in it, has it destroyed before grpc-js hears of it,
 * on a wrapped socket at least. Where grpc-js refuses a call by itself (an unknown method, no gRPC) it answers without
 * looking, Node throws, and the throw ends the process. The method is private to grpc-js, which is pinned; a test holds
 * what is done.
 */
export function guardStreams(server: Server): void {
  const handle: unknown = Reflect.get(server, "_streamHandler");
  if (typeof handle !== "function") throw new TypeError("a grpc-js without _streamHandler");
  Reflect.set(
    server,
    "_streamHandler",
    (interceptors: unknown, stream: Stream, headers: unknown) => {
      if (stream.destroyed || stream.closed) {
        // A reset with an error code is told to the stream too.
        stream.on("error", () => {});
        return;
      }
      Reflect.apply(handle, server, [interceptors, stream, headers]);
    },
  );
}
