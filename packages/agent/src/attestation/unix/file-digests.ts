import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { DIGESTS_MAX, DIGESTS_WAITING_MAX, EXECUTABLE_BYTES_MAX } from "../limits.ts";
import { SHA256_WORKER } from "./sha256-worker.ts";

/** Answer of {@link FileDigests.sha256}. */
export type FileDigest =
  | { readonly kind: "digest"; readonly hex: string }
  | { readonly kind: "too-large" }
  | { readonly kind: "not-ready" }
  | { readonly kind: "unreadable" };

/** Digests of files, each computed once. */
export interface FileDigests extends AsyncDisposable {
  /**
   * The digest of a regular file. An answer that is not ready when `signal` aborts goes on being computed and is there
   * for the next caller. `file` stays the caller's and may be closed once this resolved.
   */
  sha256(file: FileHandle, options: { readonly signal: AbortSignal }): Promise<FileDigest>;
  /** Ends the worker. Idempotent. */
  close(): Promise<void>;
}

/** Options of {@link createFileDigests}. */
export interface FileDigestsOptions {
  /** Default 512 MiB. */
  readonly sizeBytesMax?: number;
}

type Settle = (answer: FileDigest) => void;

/**
 * Hashes files in one worker thread, and remembers the digests by device, inode, ctime and size: whoever can change a
 * file without changing its ctime is root.
 */
export function createFileDigests(options: FileDigestsOptions = {}): FileDigests {
  const sizeBytesMax = BigInt(options.sizeBytesMax ?? EXECUTABLE_BYTES_MAX);
  const known = new Map<string, string>();
  const running = new Map<string, Promise<FileDigest>>();
  const waiting = new Map<number, Settle>();
  let worker: Worker | undefined;
  let tickets = 0;
  let closed = false;

  const start = (): Worker => {
    const made = new Worker(SHA256_WORKER, { eval: true, env: {}, execArgv: [], stdin: false });
    // Hashing alone is no reason for the process to stay.
    made.unref();
    made.on("message", (answer: { readonly ticket: number; readonly hex: string | null }) => {
      const { ticket, hex } = answer;
      waiting.get(ticket)?.(hex === null ? { kind: "unreadable" } : { kind: "digest", hex });
      waiting.delete(ticket);
    });
    const fail = (): void => {
      if (worker === made) worker = undefined;
      for (const settle of waiting.values()) settle({ kind: "unreadable" });
      waiting.clear();
    };
    made.on("error", fail);
    made.on("exit", fail);
    return made;
  };

  /** Hashes through a descriptor of our own, of the very same file: the work may outlive the caller. */
  const compute = async (path: string, key: string): Promise<FileDigest> => {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = await file.stat({ bigint: true });
    if (closed) return { kind: "not-ready" };
    const answer = await new Promise<FileDigest>((resolve) => {
      const ticket = ++tickets;
      waiting.set(ticket, resolve);
      worker ??= start();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ ticket, fd: file.fd, size: Number(before.size) });
    });
    if (answer.kind !== "digest") return answer;
    const after = await file.stat({ bigint: true });
    if (keyOf(before) !== key || keyOf(after) !== key) return { kind: "unreadable" };
    remember(key, answer.hex);
    return answer;
  };

  const remember = (key: string, hex: string): void => {
    const [oldest] = known.keys();
    if (known.size >= DIGESTS_MAX && oldest !== undefined) known.delete(oldest);
    known.set(key, hex);
  };

  return {
    async sha256(file, { signal }) {
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) return { kind: "unreadable" };
      if (stats.size > sizeBytesMax) return { kind: "too-large" };
      const key = keyOf(stats);
      const hex = known.get(key);
      if (hex !== undefined) return { kind: "digest", hex };
      if (closed) return { kind: "not-ready" };
      let work = running.get(key);
      if (work === undefined) {
        if (running.size >= DIGESTS_WAITING_MAX) return { kind: "not-ready" };
        work = compute(`/proc/self/fd/${file.fd}`, key)
          .catch((): FileDigest => ({ kind: "unreadable" }))
          .finally(() => running.delete(key));
        running.set(key, work);
      }
      return orNotReady(work, signal);
    },
    async close() {
      closed = true;
      await worker?.terminate();
      worker = undefined;
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

function keyOf({ dev, ino, ctimeNs, size }: BigIntStats): string {
  return `${dev}:${ino}:${ctimeNs}:${size}`;
}

/** The answer, or `not-ready` once the caller cannot wait any longer. */
async function orNotReady(work: Promise<FileDigest>, signal: AbortSignal): Promise<FileDigest> {
  const { promise, resolve } = Promise.withResolvers<FileDigest>();
  const onAbort = (): void => {
    resolve({ kind: "not-ready" });
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
