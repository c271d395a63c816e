import { setImmediate as nextTurn } from "node:timers/promises";
import { isBonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, type EpochMs, type Log, type Random } from "@bonafide/lifetime";
import {
  createCsr,
  encodePrivateKey,
  type GeneratedKey,
  generateKey,
  keySigner,
  parseCertificate,
} from "@bonafide/pki";
import { concatenateDer, verifyX509Svid } from "@bonafide/spiffe";
import { compareEntries, type Entry } from "../core/entry.ts";
import { FIRST_PAUSE_MS, longestPauseMs, SIGNING_PAUSE_MS_MAX } from "../core/pauses.ts";
import { planAfterJump, planRotation, rotationReason, type Validity } from "../core/rotation.ts";
import { KEYS_PER_TURN, PREFETCH_MAX, SIGN_BATCH_MAX } from "../limits.ts";
import type { AuthorityTerms } from "../picture/authority-terms.ts";
import type { Picture } from "../picture/picture.ts";
import { Wake } from "../wake.ts";
import { authorityKeyId } from "../wire/key-id.ts";
import type { SignRequest, SignResult, SvidSigner, WorkloadSvid } from "./workload-svid.ts";

/** What a {@link SvidKeeper} works with. */
export interface SvidKeeperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly picture: Picture;
  readonly terms: AuthorityTerms;
  readonly signer: SvidSigner;
  /** Whether the clock is good enough to issue by (ADR-0071). */
  readonly mayIssue: () => boolean;
  /** Wall time, corrected by the known difference to the server's clock. */
  readonly serverNow: () => EpochMs;
  /** Told of the validity of an SVID that was made a moment ago. */
  readonly sawFresh: (validity: Validity) => void;
}

/** Options of a {@link SvidKeeper}. */
export interface SvidKeeperOptions {
  /** SVIDs kept ready although nobody asks for them, default 1000. */
  readonly prefetchMax?: number;
}

interface Trouble {
  readonly failures: number;
  readonly retryAtMs: number;
  readonly text: string;
}

/**
 * Holds the SVIDs of the entries that somebody asks for, and of others up to a limit, and keeps them fresh: at half life,
 * when the entry changes, when their authority is tainted, and at once when it is gone.
 */
export class SvidKeeper {
  readonly #deps: SvidKeeperDeps;
  readonly #prefetchMax: number;
  readonly #svids = new Map<string, WorkloadSvid>();
  readonly #wanted = new Map<string, number>();
  readonly #troubles = new Map<string, Trouble>();
  readonly #wake: Wake;
  readonly #terms: AuthorityTerms;
  readonly #listeners: ((entryIds: ReadonlySet<string>) => void)[] = [];

  constructor(deps: SvidKeeperDeps, options: SvidKeeperOptions = {}) {
    this.#deps = deps;
    this.#prefetchMax = options.prefetchMax ?? PREFETCH_MAX;
    this.#wake = new Wake(deps.clock);
    this.#terms = deps.terms;
    deps.picture.onChange(() => {
      this.#dropGone();
      this.#wake.wake();
    });
  }

  /** How many SVIDs are held. */
  get size(): number {
    return this.#svids.size;
  }

  /** Life of the shortest SVID held, ms; undefined: none is. */
  get shortestLifeMs(): number | undefined {
    let shortest: number | undefined;
    for (const { lifeMs } of this.#svids.values()) {
      if (shortest === undefined || lifeMs < shortest) shortest = lifeMs;
    }
    return shortest;
  }

  /** Called with the ids of entries whose SVID came, went or failed. */
  onChange(listener: (entryIds: ReadonlySet<string>) => void): void {
    this.#listeners.push(listener);
  }

  /** The SVID of an entry as it stands now; undefined when there is none that is still valid. */
  svid(entry: Entry): WorkloadSvid | undefined {
    const held = this.#svids.get(entry.id);
    if (held === undefined || held.spiffeId !== entry.spiffeId) return undefined;
    return this.#deps.clock.monotonicMs() < held.plan.expiresAtMs ? held : undefined;
  }

  /** Why an entry has no fresh SVID, in words; undefined when nothing failed. */
  trouble(entryId: string): string | undefined {
    if (!this.#deps.mayIssue()) return "the node's clock is more than five minutes off";
    return this.#troubles.get(entryId)?.text;
  }

  /** Asks for entries until the answer is called, once. */
  want(entryIds: readonly string[]): () => void {
    for (const id of entryIds) this.#wanted.set(id, (this.#wanted.get(id) ?? 0) + 1);
    this.#wake.wake();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      for (const id of entryIds) {
        const left = (this.#wanted.get(id) ?? 1) - 1;
        if (left === 0) this.#wanted.delete(id);
        else this.#wanted.set(id, left);
      }
    };
  }

  /** Looks again at once, e.g. after a connection came back. */
  poke(): void {
    this.#troubles.clear();
    this.#wake.wake();
  }

  /** Makes every SVID due at once, and ends those that are over, after the clocks went apart. */
  recheck(): void {
    const { clock, serverNow } = this.#deps;
    const at = { now: serverNow(), monotonicMs: clock.monotonicMs() };
    for (const [id, held] of this.#svids) {
      this.#svids.set(id, { ...held, plan: planAfterJump(held.plan, held.notAfter, at) });
    }
    this.poke();
  }

  /** Signs what is due until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const { due, nextMs } = this.#due();
      if (due.length === 0) {
        await this.#wake.wait(nextMs, signal);
        continue;
      }
      await this.#renew(due.slice(0, SIGN_BATCH_MAX), signal);
    }
  }

  /** The entries to sign now, those without any valid SVID first, and when the next one is due (ms from now). */
  #due(): { readonly due: readonly Entry[]; readonly nextMs: number | undefined } {
    const { clock, mayIssue } = this.#deps;
    if (!mayIssue()) return { due: [], nextMs: 1000 };
    const now = clock.monotonicMs();
    const without: Entry[] = [];
    const stale: Entry[] = [];
    let next = Number.POSITIVE_INFINITY;
    const kept = this.#kept();
    for (const entry of kept) {
      const trouble = this.#troubles.get(entry.id);
      const held = this.#svids.get(entry.id);
      if (trouble !== undefined && now < trouble.retryAtMs) {
        next = Math.min(next, trouble.retryAtMs);
      } else if (held === undefined || held.spiffeId !== entry.spiffeId) {
        without.push(entry);
      } else if (this.#isStale(held, entry, now)) {
        stale.push(entry);
      } else {
        next = Math.min(next, held.plan.renewAtMs, this.#terms.replaceAtMs(held.authorityKeyId));
      }
      if (held !== undefined && held.plan.expiresAtMs > now) {
        next = Math.min(next, held.plan.expiresAtMs);
      }
    }
    this.#dropUnkept(kept);
    const due = [...without, ...stale];
    return { due, nextMs: next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - now) };
  }

  #isStale(held: WorkloadSvid, entry: Entry, now: number): boolean {
    const replaceAtMs = this.#terms.replaceAtMs(held.authorityKeyId);
    return rotationReason({ ...held, replaceAtMs }, entry, now) !== "none";
  }

  /** Entries with subscribers, then the oldest others up to the limit. */
  #kept(): readonly Entry[] {
    const { entries } = this.#deps.picture;
    const kept: Entry[] = [];
    for (const id of this.#wanted.keys()) {
      const entry = entries.byId(id);
      if (entry !== undefined) kept.push(entry);
    }
    const room = this.#prefetchMax - kept.length;
    if (room <= 0) return kept;
    const others: Entry[] = [];
    for (const entry of entries.entries()) {
      if (!this.#wanted.has(entry.id) && !entry.storeSvid) others.push(entry);
    }
    if (others.length > room) others.sort(compareEntries);
    return [...kept, ...others.slice(0, room)];
  }

  async #renew(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const { signer, log } = this.#deps;
    const keys: GeneratedKey[] = [];
    const requests: SignRequest[] = [];
    for (const [i, entry] of entries.entries()) {
      if (i > 0 && i % KEYS_PER_TURN === 0) await nextTurn();
      const key = generateKey("ec-p256");
      keys.push(key);
      requests.push({ entryId: entry.id, csr: createCsr(keySigner(key.privateKey)) });
    }
    let results: readonly SignResult[];
    try {
      results = await signer.sign(requests, { signal });
    } catch (cause) {
      signal.throwIfAborted();
      const fields = { entries: entries.length };
      log({ level: "warn", event: "svid.sign_failed", fields, error: cause });
      const text = isBonafideError(cause) ? cause.message : "the call to the server failed";
      for (const entry of entries) this.#fail(entry.id, text);
      this.#tell(entries);
      return;
    }
    for (const [i, entry] of entries.entries()) {
      const result = results[i];
      const key = keys[i];
      if (i > 0 && i % KEYS_PER_TURN === 0) await nextTurn();
      if (result?.kind !== "signed" || key === undefined) {
        this.#fail(entry.id, describe(result));
        continue;
      }
      try {
        this.#keep(entry, key, result.chain);
      } catch (error) {
        log({ level: "error", event: "svid.refused", fields: { entry: entry.id }, error });
        this.#fail(entry.id, "the server signed something that is not the entry's SVID");
      }
    }
    this.#tell(entries);
  }

  /** Takes an SVID only after it was proven to be this entry's, over this key, under the bundle. */
  #keep(entry: Entry, key: GeneratedKey, chain: readonly Uint8Array[]): void {
    const { clock, random, picture, log, serverNow, sawFresh } = this.#deps;
    // Removed or changed while it was being signed: the next look decides.
    if (picture.entries.byId(entry.id) === undefined) return;
    const [fresh] = chain;
    if (fresh !== undefined) sawFresh(parseCertificate(fresh));
    const now = serverNow();
    const verified = verifyX509Svid(chain, picture.ownBundles, { now });
    const [leaf] = verified.path;
    const authority = verified.path.at(-1);
    if (
      leaf === undefined ||
      authority === undefined ||
      verified.id !== entry.spiffeId ||
      Buffer.compare(leaf.spki, key.spki) !== 0
    ) {
      throw new TypeError(`expected ${entry.spiffeId}, got ${verified.id}`);
    }
    this.#troubles.delete(entry.id);
    const authorityId = authorityKeyId(authority);
    this.#svids.set(entry.id, {
      entryId: entry.id,
      spiffeId: entry.spiffeId,
      chainDer: concatenateDer(chain.map((der) => ({ der }))),
      keyDer: encodePrivateKey(key.privateKey),
      notAfter: verified.notAfter,
      lifeMs: verified.notAfter - now,
      revision: entry.revision,
      createdAt: entry.createdAt,
      plan: planRotation(verified, {
        receivedAt: now,
        now,
        monotonicMs: clock.monotonicMs(),
        fraction: random.fraction(),
      }),
      authorityKeyId: authorityId,
    });
    const fields = { spiffeId: entry.spiffeId, entry: entry.id };
    log({ level: "debug", event: "svid.signed", fields });
    // A server that has no other yet would be asked again at once, and without end.
    if (clock.monotonicMs() >= this.#terms.replaceAtMs(authorityId)) {
      this.#fail(entry.id, "the server still signs by a tainted authority");
    }
  }

  #fail(entryId: string, text: string): void {
    const { clock, random } = this.#deps;
    const failures = (this.#troubles.get(entryId)?.failures ?? 0) + 1;
    const lifeMs = this.#svids.get(entryId)?.lifeMs;
    const maxMs = Math.min(SIGNING_PAUSE_MS_MAX, longestPauseMs(lifeMs));
    const firstMs = FIRST_PAUSE_MS.signing;
    const pauseMs = backoffMs(failures, random.fraction(), { firstMs, maxMs });
    const retryAtMs = clock.monotonicMs() + pauseMs;
    this.#troubles.set(entryId, { failures, retryAtMs, text });
  }

  #dropGone(): void {
    const { entries } = this.#deps.picture;
    for (const id of this.#svids.keys()) if (entries.byId(id) === undefined) this.#svids.delete(id);
    for (const id of this.#troubles.keys()) {
      if (entries.byId(id) === undefined) this.#troubles.delete(id);
    }
  }

  /** Keys of entries that nobody asks for any more, beyond the limit, are forgotten and not kept until they expire. */
  #dropUnkept(kept: readonly Entry[]): void {
    if (this.#svids.size <= kept.length) return;
    const ids = new Set(kept.map(({ id }) => id));
    for (const id of this.#svids.keys()) if (!ids.has(id)) this.#svids.delete(id);
  }

  #tell(entries: readonly Entry[]): void {
    const ids = new Set(entries.map(({ id }) => id));
    for (const listener of this.#listeners) listener(ids);
  }
}

function describe(result: SignResult | undefined): string {
  switch (result?.kind) {
    case "not_found":
      return "the server does not know the entry for this node";
    case "failed":
      return result.text;
    default:
      return "the server gave no answer for the entry";
  }
}
