import { readFileSync } from "node:fs";

/**
 * How long a process was ready to run and had to wait for a processor since it started, ms: time that the machine took,
 * and not the program. 0 where the kernel does not say.
 *
 * @param pid  Its main thread is looked at, which does what others wait for.
 */
export function waitedMs(pid: number): number {
  try {
    const [, waitedNs = "0"] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ");
    return Number(waitedNs) / 1e6;
  } catch {
    return 0; // it has ended
  }
}

/** What server and agent had to wait for a processor, followed while both run. */
export class Waiting implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #samples: { readonly at: number; readonly waitedMs: number }[] = [];

  /** @param pids  The processes as they are now: they are started again and again. */
  constructor(pids: () => readonly number[]) {
    this.#timer = setInterval(() => {
      const sum = pids().reduce((waited, pid) => waited + waitedMs(pid), 0);
      this.#samples.push({ at: Date.now(), waitedMs: sum });
    }, 100);
  }

  /** What both waited between two moments in which the same processes ran, epoch ms; rounded up to whole samples. */
  between(from: number, to: number): number {
    const before = this.#samples.findLast(({ at }) => at <= from)?.waitedMs ?? 0;
    const after = this.#samples.find(({ at }) => at >= to)?.waitedMs ?? before;
    return Math.max(0, after - before);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
