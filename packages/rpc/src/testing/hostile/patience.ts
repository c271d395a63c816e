import { readFileSync } from "node:fs";
import process from "node:process";

/** How long somebody waits for an answer. */
export interface Patience {
  /** From the last byte sent, ms. */
  readonly withinMs: number;
  /** What has been waited for a processor so far, ms: time that the machine took, and nobody who is judged. */
  readonly waitedMs?: () => number;
}

/** Calls back when patience is over, unless the answer of this function is called before. */
export function whenOver({ withinMs, waitedMs = () => 0 }: Patience, late: () => void): () => void {
  const begun = performance.now();
  const waitedBefore = waitedMs();
  let timer: NodeJS.Timeout;
  let isOver = false;
  const look = (): void => {
    if (isOver) return;
    const left = begun + withinMs + waitedMs() - waitedBefore - performance.now();
    if (left > 0) timer = setTimeout(look, left);
    else late();
  };
  timer = setTimeout(() => {
    // The sockets first: who is behind has not read yet what came in time.
    setImmediate(() => setImmediate(look));
  }, withinMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** What the main threads of this process and of others waited for a processor so far, ms; 0 where nobody says. */
export function waitedForProcessor(...pids: readonly number[]): number {
  let waitedNs = 0;
  for (const pid of [process.pid, ...pids]) {
    try {
      waitedNs += Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1] ?? 0);
    } catch {
      // It has ended, or the kernel does not count.
    }
  }
  return waitedNs / 1e6;
}
