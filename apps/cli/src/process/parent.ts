import { closeSync, fstatSync, readFileSync } from "node:fs";
import { Socket } from "node:net";

const PARENT_FD = 3;
const SECRET_FD = 4;

/** The process that started this one, over a socket on descriptor 3. */
export interface Parent {
  /** Tells it, in one line of JSON, that this process serves. */
  tellReady(facts: Readonly<Record<string, string>>): void;
  /** Aborts when the parent is gone, however it ended: what `up` starts does not outlive it. */
  readonly gone: AbortSignal;
}

/** Takes descriptor 3 as the parent's socket; without `asked` it may be anything and is left alone. */
export function openParent(asked: boolean): Parent {
  const gone = new AbortController();
  if (!asked) return { tellReady: () => undefined, gone: gone.signal };
  const socket = new Socket({ fd: PARENT_FD, readable: true, writable: true });
  const end = (): void => {
    socket.destroy();
    gone.abort();
  };
  socket.on("error", end).on("end", end).resume();
  socket.unref();
  return {
    tellReady: (facts) => {
      socket.write(`${JSON.stringify(facts)}\n`);
    },
    gone: gone.signal,
  };
}

/** A secret handed over on descriptor 4 by whoever started this process; undefined if it gave none. */
export function readSecret(asked: boolean): string | undefined {
  if (!asked) return undefined;
  // What a parent hands over is a pipe or half a socket pair; anything else there is not meant for us.
  const stats = fstatSync(SECRET_FD);
  if (!stats.isFIFO() && !stats.isSocket()) return undefined;
  const text = readFileSync(SECRET_FD, "utf8").trim();
  closeSync(SECRET_FD);
  return text === "" ? undefined : text;
}
