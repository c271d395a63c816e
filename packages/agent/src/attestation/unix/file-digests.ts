import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { noUidOwners, type UidOwners } from "../../core/subordinate-uids.ts";
import {
  DIGEST_PIECE_BYTES,
  DIGESTS_MAX,
  DIGESTS_WAITING_MAX,
  DIGESTS_WAITING_PER_UID_MAX,
  EXECUTABLE_BYTES_MAX,
} from "../limits.ts";
import { DigestMemory } from "./digest-memory.ts";
import { FairQueue } from "./fair-queue.ts";
import { type HashedPiece, type HashPiece, SHA256_WORKER } from "./sha256-worker.ts";

/** Answer of {@link FileDigests.sha256}. */
export type FileDigest =
  | { readonly kind: "digest"; readonly hex: string }
  | { readonly kind: "too-large" }
  | { readonly kind: "not-ready" }
  | { readonly kind: "unreadable" };

/** Options of {@link FileDigests.sha256}. */
export interface DigestOptions {
  /** Whose process executes the file: each user's files take turns with the others'. */
  readonly uid: number;
  readonly signal: AbortSignal;
}

/** Digests of files, each computed once. */
export interface FileDigests extends AsyncDisposable {
  /**
   * The digest of a regular file. An answer that is not ready when `signal` aborts goes on being computed and is there
   * for the next caller; a user who waits for too many at once is told `not-ready` at once. `file` stays the caller's
   * and may be closed once this resolved.
   */
  sha256(file: FileHandle, options: DigestOptions): Promise<FileDigest>;
  /** Ends the worker. Idempotent. */
  close(): Promise<void>;
}

/** Options of {@link createFileDigests}. */
export interface FileDigestsOptions {
  /** Default 512 MiB. */
  readonly sizeBytesMax?: number;
  /** Bytes hashed before it is the next user's turn, default 8 MiB. */
  readonly pieceBytes?: number;
  /** Whose turn a uid's is; default: each its own. */
  readonly owners?: UidOwners;
}

/** One file that is being hashed. */
interface Job {
  readonly ticket: number;
  readonly size: number;
  readonly answer: PromiseWithResolvers<FileDigest>;
  /** Our own descriptor; undefined until it is open. */
  fd: number | undefined;
  at: number;
}

/**
 * Hashes files in one worker thread, a piece of each user's at a time, and remembers the digests by device, inode, ctime
 * and size: whoever can change a file without changing its ctime is root.
 */
export function createFileDigests(options: FileDigestsOptions = {}): FileDigests {
  return new HashedFiles(options);
}

class HashedFiles implements FileDigests {
  readonly #sizeBytesMax: bigint;
  readonly #pieceBytes: number;
  readonly #owners: UidOwners;
  readonly #memory = new DigestMemory(DIGESTS_MAX);
  readonly #queue = new FairQueue<Job>(DIGESTS_WAITING_PER_UID_MAX);
  readonly #jobs = new Map<string, { readonly job: Job; readonly work: Promise<FileDigest> }>();
  #worker: Worker | undefined;
  /** What the worker hashes a piece of now. */
  #hashing: Job | undefined;
  #tickets = 0;
  #closed = false;

  constructor(options: FileDigestsOptions) {
    this.#sizeBytesMax = BigInt(options.sizeBytesMax ?? EXECUTABLE_BYTES_MAX);
    this.#pieceBytes = options.pieceBytes ?? DIGEST_PIECE_BYTES;
    this.#owners = options.owners ?? noUidOwners;
  }

  async sha256(file: FileHandle, options: DigestOptions): Promise<FileDigest> {
    const { signal } = options;
    const uid = this.#owners.ownerOf(options.uid);
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) return { kind: "unreadable" };
    if (stats.size > this.#sizeBytesMax) return { kind: "too-large" };
    const key = keyOf(stats);
    const hex = this.#memory.find(key);
    if (hex !== undefined) return { kind: "digest", hex };
    if (this.#closed) return { kind: "not-ready" };
    const running = this.#jobs.get(key);
    if (running !== undefined) {
      // Without a place of its own this user waits for it by the turns of the others.
      this.#queue.add(uid, running.job);
      return orNotReady(running.work, signal);
    }
    const job = this.#begin(uid, Number(stats.size));
    if (job === undefined) return { kind: "not-ready" };
    const work = this.#compute(job, `/proc/self/fd/${file.fd}`, key, uid);
    this.#jobs.set(key, { job, work });
    return orNotReady(work, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    this.#failAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(uid: number, size: number): Job | undefined {
    if (this.#jobs.size >= DIGESTS_WAITING_MAX) return undefined;
    const answer = Promise.withResolvers<FileDigest>();
    const job: Job = { ticket: ++this.#tickets, size, answer, fd: undefined, at: 0 };
    return this.#queue.add(uid, job) ? job : undefined;
  }

  /** Never rejects. */
  async #compute(job: Job, path: string, key: string, uid: number): Promise<FileDigest> {
    try {
      // A descriptor of our own, opened while the caller's is: it may be closed before we are done.
      await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const before = await file.stat({ bigint: true });
      if (keyOf(before) !== key) return { kind: "unreadable" };
      job.fd = file.fd;
      this.#pump();
      const answer = await job.answer.promise;
      if (answer.kind !== "digest") return answer;
      if (keyOf(await file.stat({ bigint: true })) !== key) return { kind: "unreadable" };
      this.#memory.remember(key, uid, answer.hex);
      return answer;
    } catch {
      // The file could be opened a moment ago, and cannot now.
      return { kind: "unreadable" };
    } finally {
      job.fd = undefined;
      this.#jobs.delete(key);
      this.#queue.remove(job);
    }
  }

  /** Has the worker hash one more piece, of the user whose turn it is. */
  #pump(): void {
    if (this.#hashing !== undefined || this.#closed) return;
    const job = this.#queue.next(({ fd }) => fd !== undefined);
    if (job?.fd === undefined) return;
    this.#hashing = job;
    const to = Math.min(job.at + this.#pieceBytes, job.size);
    const { ticket, fd, at: from } = job;
    const piece: HashPiece = { ticket, fd, from, to, last: to === job.size };
    job.at = to;
    this.#worker ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(piece);
  }

  #hashed({ ticket, outcome, hex }: HashedPiece): void {
    const job = this.#hashing;
    if (job?.ticket !== ticket) return;
    this.#hashing = undefined;
    if (outcome !== "more") {
      this.#settle(job, outcome === "done" ? { kind: "digest", hex } : { kind: "unreadable" });
    }
    this.#pump();
  }

  #start(): Worker {
    const made = new Worker(SHA256_WORKER, { eval: true, env: {}, execArgv: [], stdin: false });
    // Hashing alone is no reason for the process to stay.
    made.unref();
    made.on("message", (answer: HashedPiece) => {
      this.#hashed(answer);
    });
    const fail = (): void => {
      if (this.#worker === made) this.#failAll();
    };
    made.on("error", fail);
    made.on("exit", fail);
    return made;
  }

  /** Without their worker the files that were begun are lost. */
  #failAll(): void {
    this.#worker = undefined;
    this.#hashing = undefined;
    for (const { job } of this.#jobs.values()) this.#settle(job, { kind: "unreadable" });
  }

  #settle(job: Job, answer: FileDigest): void {
    job.fd = undefined;
    this.#queue.remove(job);
    job.answer.resolve(answer);
  }
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
