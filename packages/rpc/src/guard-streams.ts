import { constants } from "node:http2";
import type { Server } from "@grpc/grpc-js";

interface Stream {
  readonly destroyed: boolean;
  readonly closed: boolean;
  on(event: "error", listener: () => void): unknown;
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
  close(code: number): void;
}

/**
 * Keeps streams that are gone already away from grpc-js, and streams that come in more pieces than they may.
 *
 *
 * A client that opens a stream and resets it in one packet, or errs in it, has it destroyed before grpc-js hears of it,
 * on a wrapped socket at least. Where grpc-js refuses a call by itself (an unknown method, no gRPC) it answers without
 * looking, Node throws, and the throw ends the process. The method is private to grpc-js, which is pinned; a test holds
 * what is done.
 *
 * A message is kept in the pieces that it came in until it is whole: one sent byte by byte takes a hundred times its
 * size. Whoever needs more pieces than `framesMax` in one stream is cut off.
 */
export function guardStreams(server: Server, framesMax: number = Infinity): void {
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
      if (framesMax !== Infinity) boundFrames(stream, framesMax);
      Reflect.apply(handle, server, [interceptors, stream, headers]);
    },
  );
}

function boundFrames(stream: Stream, framesMax: number): void {
  const push = stream.push.bind(stream);
  let frames = 0;
  stream.push = (chunk, encoding) => {
    // The end of the stream is no piece of it.
    if (chunk === null || ++frames <= framesMax) return push(chunk, encoding);
    if (!stream.closed) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
  };
}
