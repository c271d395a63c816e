import { type BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, every, systemClock } from "@bonafide/lifetime";
import type { PolicyTrust } from "../bundle/policy-keys.ts";
import { type VerifiedBundle, verifyBundle } from "../bundle/verified-bundle.ts";
import { refuse } from "../core/bundle/refuse.ts";
import type { BundleRef } from "../core/record/decision-record.ts";
import { BUNDLE_BYTES_MAX } from "../limits.ts";
import { KeptBundle } from "./kept-bundle.ts";
import { readBounded } from "./read-bounded.ts";

/** Options of {@link openBundleFile}. */
export interface BundleFileOptions {
  /** Where somebody puts the bundle, by renaming a whole file into place. */
  readonly file: string;
  readonly trust: PolicyTrust;
  readonly trustDomain: string;
  /** The services that this process is. */
  readonly services: readonly string[];
  /**
   * A folder for the last good bundle and the floor, of this process alone. Without one, an older bundle is refused only
   * as long as the process lives, and a restart has nothing to decide by while the file is bad.
   */
  readonly keep?: string;
  /** Told about each file that was not adopted; the last good one stays. Must not throw. */
  readonly onProblem?: (error: BonafideError) => void;
  /** Told about each bundle that was. Must not throw. */
  readonly onAdopted?: (bundle: VerifiedBundle) => void;
  /** How often to look whether the file was replaced, in ms, default 2,000; a look is one `fstat`. */
  readonly pollMs?: number;
  readonly clock?: Clock;
}

/** The bundle of a file that is followed. The current one is replaced whole, or not at all. */
export class BundleFile implements AsyncDisposable {
  readonly #options: BundleFileOptions;
  readonly #clock: Clock;
  readonly #kept: KeptBundle | undefined;
  readonly #ending = new AbortController();
  #looking: Promise<void> = Promise.resolve();
  #following: Promise<void> = Promise.resolve();
  #current: VerifiedBundle | undefined;
  #floor: BundleRef | undefined;
  #mark: string | undefined;
  #problem: BonafideError | undefined;

  private constructor(options: BundleFileOptions) {
    const { keep, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#kept = keep === undefined ? undefined : new KeptBundle(keep);
  }

  /** @see openBundleFile */
  static async open(
    options: BundleFileOptions,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<BundleFile> {
    const file = new BundleFile(options);
    signal?.throwIfAborted();
    await file.#begin();
    await file.look();
    signal?.throwIfAborted();
    const { pollMs: ms = 2000 } = options;
    const failed = (error: unknown): void => file.#report(error);
    file.#following = every(
      { clock: file.#clock, ms, failed },
      () => file.look(),
      file.#ending.signal,
    );
    return file;
  }

  /** The bundle to decide by, also one that has expired since; `undefined`: none was ever good. */
  get current(): VerifiedBundle | undefined {
    return this.#current;
  }

  /** Why the file as it is was not adopted; `undefined` if it was. */
  get problem(): BonafideError | undefined {
    return this.#problem;
  }

  /** Looks at the file now. Never fails. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Ends following. The current bundle stays. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#following;
    await this.#looking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #begin(): Promise<void> {
    this.#floor = await this.#kept?.floor();
    const bytes = await this.#kept?.lastGood();
    if (bytes === undefined) return;
    try {
      this.#current = await this.#verify(bytes);
    } catch (error) {
      this.#report(error);
    }
  }

  async #look(): Promise<void> {
    try {
      // One from the future may be good later, without being replaced.
      const isLater = this.#problem?.retry === true;
      const read = await readBounded(
        this.#options.file,
        BUNDLE_BYTES_MAX,
        isLater ? undefined : this.#mark,
      );
      if (read === undefined) return;
      this.#mark = read.mark;
      const bundle = await this.#verify(read.bytes);
      this.#problem = undefined;
      if (bundle.ref.digest === this.#current?.ref.digest) return;
      this.#current = bundle;
      this.#floor = bundle.ref;
      await this.#keep(bundle, read.bytes);
      this.#tellAdopted(bundle);
    } catch (error) {
      this.#report(error);
    }
  }

  #verify(bytes: Uint8Array): Promise<VerifiedBundle> {
    const { trust, trustDomain, services } = this.#options;
    const now = this.#clock.now();
    return verifyBundle(bytes, { trust, trustDomain, services, now, floor: this.#floor });
  }

  /** What cannot be kept is adopted all the same: a full disk must not hold up a revocation. */
  async #keep(bundle: VerifiedBundle, bytes: Uint8Array): Promise<void> {
    try {
      await this.#kept?.keep(bundle.ref, bytes);
    } catch (cause) {
      const message = "the bundle is adopted and could not be kept for the next start";
      this.#tell(refuse("BUNDLE_UNREADABLE", message, {}, cause));
    }
  }

  /** The same problem is told once, not at every look. */
  #report(cause: unknown): void {
    const message = "the bundle cannot be looked at";
    const error = isBonafideError(cause) ? cause : refuse("BUNDLE_UNREADABLE", message, {}, cause);
    const before = this.#problem;
    this.#problem = error;
    if (before?.code === error.code && before.message === error.message) return;
    this.#tell(error);
  }

  /** What the program throws when it is told something must not end the looking. */
  #tellAdopted(bundle: VerifiedBundle): void {
    try {
      this.#options.onAdopted?.(bundle);
    } catch (cause) {
      const message = "the bundle is adopted, and onAdopted threw";
      this.#tell(refuse("BUNDLE_UNREADABLE", message, {}, cause));
    }
  }

  #tell(problem: BonafideError): void {
    try {
      this.#options.onProblem?.(problem);
    } catch {
      // Nobody is left to be told.
    }
  }
}

/**
 * Follows a bundle in a file. A file that is missing, torn, unsigned, rolled back or otherwise bad is reported and not
 * adopted; the last good bundle stays until it expires. Opening does not wait for a good one: until then `current` is
 * `undefined`, and whoever enforces denies.
 *
 * @throws BUNDLE_UNREADABLE  what was kept has a floor that cannot be read
 */
export function openBundleFile(
  options: BundleFileOptions,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<BundleFile> {
  return BundleFile.open(options, signal === undefined ? {} : { signal });
}
