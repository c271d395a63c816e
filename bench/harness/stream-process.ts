import process from "node:process";
import { openRawStream, type RawStream } from "./raw-stream.ts";

/** Connections that are being opened at a time. */
const OPENING = 16;

/**
 * One process of clients: `node stream-process.ts SOCKET COUNT`. Tells its parent `{messages: n, at}` once every stream
 * has had its n-th message, and when the last of them came, ms since the epoch; ends when its parent does.
 */
function main(path: string, count: number): void {
  const had: number[] = [];
  const streams: RawStream[] = [];
  const open = (): void => {
    if (streams.length >= count) return;
    let isFirst = true;
    streams.push(
      openRawStream(
        path,
        (messages) => {
          had[messages] = (had[messages] ?? 0) + 1;
          if (had[messages] === count) {
            process.send?.({ messages, at: performance.timeOrigin + performance.now() });
          }
          if (isFirst) open();
          isFirst = false;
        },
        (error) => {
          process.stderr.write(`a stream ended: ${error?.message ?? "closed"}\n`);
          process.exit(1);
        },
      ),
    );
  };
  for (let i = 0; i < OPENING; i++) open();
}

process.on("disconnect", () => process.exit(0));
main(process.argv[2] ?? "", Number(process.argv[3]));
