import { type FSWatcher, watch } from "node:fs";
import type { BonafideError } from "@bonafide/errors";
import { isBonafideError } from "@bonafide/errors";
import { type Clock, Latest, systemClock } from "@bonafide/lifetime";
import {
  contextOfFiles,
  foldersOf,
  type IdentityBytes,
  type IdentityFiles,
  identityFilesIn,
  readIdentityBytes,
} from "./identity-files.ts";
import type { X509Context } from "./x509-context.ts";
import { X509Source } from "./x509-source.ts";

/** Options of {@link openFileSource}. */
export interface FileSourceOptions {
  /** A folder with `tls.crt`, `tls.key` and `ca.crt`, or the three paths. */
  readonly files: string | IdentityFiles;
  /** Told about each set of files that was not adopted; the last good one stays. Must not throw. */
  readonly onProblem?: (error: BonafideError) => void;
  /** Look again after this even if no change was noticed, in ms, default 10,000. */
  readonly pollMs?: number;
  /** A changed set is read twice, this far apart in ms, and adopted when both are equal; default 50. */
  readonly settleMs?: number;
  readonly clock?: Clock;
}

/**
 * Opens a source over files that somebody else rotates: spiffe-helper, cert-manager, a Kubernetes secret.
 *
 * Changes are noticed at once where the system reports them, else at the next look. A set that is torn, half written or
 * does not chain is never adopted.
 *
 * @throws IDENTITY_FILES_INVALID  the files cannot be used now
 */
export async function openFileSource(
  options: FileSourceOptions,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<X509Source> {
  const { files, clock = systemClock } = options;
  const follower = new Follower(
    typeof files === "string" ? identityFilesIn(files) : files,
    options,
    clock,
  );
  signal?.throwIfAborted();
  const latest = new Latest(await follower.first(signal));
  const ending = new AbortController();
  const following = follower.follow(latest, ending.signal);
  return new X509Source(latest, async () => {
    ending.abort();
    await following;
  });
}

class Follower {
  readonly #files: IdentityFiles;
  readonly #options: FileSourceOptions;
  readonly #clock: Clock;
  #adopted = "";
  #seen = "";
  #reported = "";

  constructor(files: IdentityFiles, options: FileSourceOptions, clock: Clock) {
    this.#files = files;
    this.#options = options;
    this.#clock = clock;
  }

  /** One set may be torn by a writer at work, so that a second look is allowed. */
  async first(signal: AbortSignal | undefined): Promise<X509Context> {
    try {
      return await this.#adopt();
    } catch {
      await this.#clock.sleep(this.#settleMs, signal === undefined ? {} : { signal });
      return this.#adopt();
    }
  }

  async follow(latest: Latest<X509Context>, signal: AbortSignal): Promise<void> {
    const { pollMs = 10_000 } = this.#options;
    let changed = new AbortController();
    const watchers = watchFolders(foldersOf(this.#files), () => changed.abort());
    try {
      // What changed between the first look and the watch is found by a look now.
      changed.abort();
      for (;;) {
        await this.#pause(pollMs, AbortSignal.any([signal, changed.signal]));
        if (signal.aborted) return;
        changed = new AbortController();
        const context = await this.#look(signal);
        if (context !== undefined) latest.set(context);
      }
    } finally {
      for (const watcher of watchers) watcher.close();
    }
  }

  /** The new context, or undefined when nothing changed or the set cannot be used. */
  async #look(signal: AbortSignal): Promise<X509Context | undefined> {
    try {
      for (let seen = await readIdentityBytes(this.#files); seen.digest !== this.#adopted;) {
        await this.#pause(this.#settleMs, signal);
        if (signal.aborted) return undefined;
        const again = await readIdentityBytes(this.#files);
        this.#seen = again.digest;
        if (again.digest === seen.digest) return this.#use(again);
        seen = again;
      }
    } catch (error) {
      if (!isBonafideError(error)) throw error;
      this.#report(error);
    }
    return undefined;
  }

  async #adopt(): Promise<X509Context> {
    return this.#use(await readIdentityBytes(this.#files));
  }

  #use(bytes: IdentityBytes): X509Context {
    const context = contextOfFiles(bytes, this.#clock.now());
    this.#adopted = bytes.digest;
    this.#reported = "";
    return context;
  }

  /** The same problem of the same bytes is told once, not at every look. */
  #report(error: BonafideError): void {
    const told = `${error.code} ${error.details["reason"] ?? ""} ${this.#seen}`;
    if (told === this.#reported) return;
    this.#reported = told;
    this.#options.onProblem?.(error);
  }

  get #settleMs(): number {
    return this.#options.settleMs ?? 50;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(ms, { signal, unref: true });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Watches what can be watched; the look at intervals covers the rest. */
function watchFolders(folders: readonly string[], onChange: () => void): readonly FSWatcher[] {
  const watchers: FSWatcher[] = [];
  for (const folder of folders) {
    try {
      const watcher = watch(folder, { persistent: false }, onChange);
      // A watched folder that is removed ends the watch; the next look says what is wrong.
      watcher.on("error", onChange);
      watchers.push(watcher);
    } catch {
      // No watch to be had, as on some network file systems.
      onChange();
    }
  }
  return watchers;
}
