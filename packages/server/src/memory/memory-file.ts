import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import type { Head, StoredLeaf } from "@bonafide/plugin-api";
import { MEMORY_ERRORS } from "./memory-errors.ts";
import { decodeRecord, encodeRecord, type MemoryRecord } from "./memory-record.ts";
import { recall, type Remembered, rememberedFrom } from "./remembered.ts";

const MAGIC = Buffer.from("bonafide memory 1\n");
/** What is kept: a day, and no more than this. Bodies included, so that a rewind can be mended whole. */
const KEEP_MS = 24 * 3600 * 1000;
const KEEP_BYTES = 64 * 1024 * 1024;
/** A rewrite goes down to this, so that it does not happen for each batch. */
const TRIM_TO_BYTES = 48 * 1024 * 1024;
const TRIM_EVERY_MS = 3600 * 1000;

/** Bounds of the file; tests make them small. */
export interface MemoryFileOptions {
  /** Folder, made with mode 0700 if it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  /** Bytes that start a rewrite, default 64 MiB. */
  readonly keepBytes?: number;
  /** Age of leaves that are forgotten, default 24 h. */
  readonly keepMs?: number;
}

/**
 * The server's own append-only memory: what it has told anybody, and the leaves that led there. Written and flushed
 * before a state is told, so that a store that loses it cannot make this server forget it.
 *
 * One caller at a time.
 */
export class MemoryFile {
  readonly #options: Required<MemoryFileOptions>;
  readonly #path: string;
  #file: FileHandle;
  #size: number;
  #chosenEpoch: number;
  #trimmedAtMs: number;
  /** Bytes of a torn last batch that were dropped when the file was opened. */
  readonly droppedBytes: number;

  private constructor(
    options: Required<MemoryFileOptions>,
    path: string,
    file: FileHandle,
    found: Scan,
  ) {
    this.#options = options;
    this.#path = path;
    this.#file = file;
    this.#size = found.end;
    this.#chosenEpoch = chosenEpoch(found.records);
    this.#trimmedAtMs = options.clock.now();
    this.droppedBytes = found.droppedBytes;
  }

  /**
   * Opens or makes the file and drops a torn end.
   *
   * @throws MEMORY_CORRUPT  damaged before its end, or no file of ours
   * @throws MEMORY_UNWRITABLE
   */
  static async open(given: MemoryFileOptions): Promise<MemoryFile> {
    const options = { keepBytes: KEEP_BYTES, keepMs: KEEP_MS, ...given };
    const path = join(options.dir, "memory");
    return writing(async () => {
      await mkdir(options.dir, { recursive: true, mode: 0o700 });
      const file = await open(path, "a+", 0o600);
      try {
        const bytes = await readFile(path);
        if (bytes.length < MAGIC.length && MAGIC.subarray(0, bytes.length).equals(bytes)) {
          await file.truncate(0);
          await file.appendFile(MAGIC);
          await file.sync();
          await syncFolder(options.dir);
          return new MemoryFile(options, path, file, { ...NOTHING });
        }
        const found = scan(bytes);
        if (found.end < bytes.length) await file.truncate(found.end);
        return new MemoryFile(options, path, file, found);
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  /** The highest epoch that this server ever chose; 0: none. */
  get chosenEpoch(): number {
    return this.#chosenEpoch;
  }

  /** What is remembered; undefined: nothing was ever told. Reads the file. */
  async recall(): Promise<Remembered | undefined> {
    const found = recall(scan(await readFile(this.#path)).records);
    return found === undefined ? undefined : rememberedFrom(found);
  }

  /**
   * Keeps leaves and the state that they lead to; durable when it resolves. Leaves that overlap what is remembered take
   * its place.
   *
   * @throws MEMORY_UNWRITABLE  nothing more may be told than before
   */
  async remember(leaves: readonly StoredLeaf[], head: Head): Promise<void> {
    const { epoch, n, root, ledgerId, openedIn: incarnation } = head;
    const atMs = this.#options.clock.now();
    const name = { kind: "name", name: { epoch, n, root }, incarnation, ledgerId, atMs } as const;
    await this.#append([...leaves.map((stored) => ({ kind: "leaf", stored }) as const), name]);
    const old = atMs - this.#trimmedAtMs > Math.min(TRIM_EVERY_MS, this.#options.keepMs);
    if (old || this.#size > this.#options.keepBytes) await this.#trim();
  }

  /**
   * Keeps leaves that more follow; they count only once {@link remember} named the state that they lead to.
   *
   * @throws MEMORY_UNWRITABLE
   */
  async rememberLeaves(leaves: readonly StoredLeaf[]): Promise<void> {
    await this.#append(leaves.map((stored) => ({ kind: "leaf", stored }) as const));
  }

  /** Notes an epoch before it is opened, so that a lost opening is never chosen twice. @throws MEMORY_UNWRITABLE */
  async noteEpoch(epoch: number): Promise<void> {
    await this.#append([{ kind: "epoch", epoch }]);
    this.#chosenEpoch = Math.max(this.#chosenEpoch, epoch);
  }

  /** Forgets every leaf, for good; chosen epochs stay. For what an operator accepted. @throws MEMORY_UNWRITABLE */
  async forget(): Promise<void> {
    await this.#rewrite([]);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  async #append(records: readonly MemoryRecord[]): Promise<void> {
    const bytes = Buffer.concat(records.map(encodeRecord));
    try {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
      this.#size += bytes.length;
    } catch (cause) {
      // Half a batch must not stand before the next one. If even this fails, the next write fails at its end.
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw unwritable(cause);
    }
  }

  /** Forgets what is too old or too much, but never the newest leaf and name. */
  async #trim(): Promise<void> {
    this.#trimmedAtMs = this.#options.clock.now();
    const { records } = scan(await readFile(this.#path));
    const { keepMs, keepBytes } = this.#options;
    const limit = Math.min(TRIM_TO_BYTES, Math.ceil(keepBytes * 0.75));
    const kept: MemoryRecord[] = [];
    let bytes = 0;
    let young = true;
    let [names, leaves] = [0, 0];
    for (const record of records.toReversed()) {
      if (record.kind === "epoch") continue;
      if (record.kind === "name") young = record.atMs >= this.#trimmedAtMs - keepMs;
      bytes += record.kind === "leaf" ? record.stored.body.length + 100 : 100;
      const isNewest = record.kind === "name" ? names === 0 : leaves === 0;
      if (isNewest || (young && bytes <= limit)) {
        kept.push(record);
        if (record.kind === "name") names += 1;
        else leaves += 1;
      } else if (leaves > 0) break;
    }
    await this.#rewrite(kept.toReversed());
  }

  async #rewrite(records: readonly MemoryRecord[]): Promise<void> {
    const epoch: MemoryRecord = { kind: "epoch", epoch: this.#chosenEpoch };
    const bytes = Buffer.concat([MAGIC, ...[epoch, ...records].map(encodeRecord)]);
    await writing(async () => {
      const next = await open(`${this.#path}.new`, "w+", 0o600);
      try {
        await next.writeFile(bytes);
        await next.sync();
        await rename(`${this.#path}.new`, this.#path);
        await syncFolder(this.#options.dir);
      } finally {
        await next.close();
      }
      await this.#file.close();
      this.#file = await open(this.#path, "a+", 0o600);
    });
    this.#size = bytes.length;
  }
}

interface Scan {
  readonly records: readonly MemoryRecord[];
  /** Where the last whole record ends. */
  readonly end: number;
  readonly droppedBytes: number;
}

const NOTHING: Scan = { records: [], end: MAGIC.length, droppedBytes: 0 };

/** Reads all records. What is torn at the end is dropped; damage that whole records follow is not. */
function scan(bytes: Buffer): Scan {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt();
  const records: MemoryRecord[] = [];
  let end = MAGIC.length;
  for (let found = decodeRecord(bytes, end); found !== undefined;) {
    records.push(found.record);
    end = found.next;
    found = decodeRecord(bytes, end);
  }
  for (let at = end + 1; at < bytes.length; at += 1) {
    if (decodeRecord(bytes, at)?.record.kind === "name") throw corrupt();
  }
  return { records, end, droppedBytes: bytes.length - end };
}

function chosenEpoch(records: readonly MemoryRecord[]): number {
  let highest = 0;
  for (const record of records) {
    if (record.kind === "epoch") highest = Math.max(highest, record.epoch);
  }
  return highest;
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writing<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isBonafideError(error)) throw error;
    throw unwritable(error);
  }
}

function unwritable(cause: unknown): BonafideError {
  const message = "the server's own memory file cannot be written";
  return new BonafideError(MEMORY_ERRORS, "MEMORY_UNWRITABLE", message, { cause });
}

function corrupt(): BonafideError {
  return new BonafideError(
    MEMORY_ERRORS,
    "MEMORY_CORRUPT",
    "the server's own memory file is damaged; move it away only if the database is known to be whole",
  );
}
