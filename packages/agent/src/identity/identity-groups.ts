import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, Latest } from "@bonafide/lifetime";
import type { JwtBundleSet, TrustDomain, X509Bundle } from "@bonafide/spiffe";
import { assembleIdentities, federatedDomains } from "../core/assembly.ts";
import type { TrustBundle } from "../core/bundle.ts";
import type { Entry, Selector } from "../core/entry.ts";
import { groupKey } from "../core/group-key.ts";
import { COALESCE_MS, IDENTITIES_PER_CALLER_MAX } from "../limits.ts";
import type { Picture } from "../picture/picture.ts";
import type { SvidKeeper } from "../svid/svid-keeper.ts";
import type { WorkloadSvid } from "../svid/workload-svid.ts";
import { Wake } from "../wake.ts";
import type { AskedKey } from "../workload/key-shares.ts";

/** One identity of a group of callers. */
export interface HeldIdentity {
  readonly entry: Entry;
  readonly svid: WorkloadSvid;
}

/** Identities that can be sent, with what belongs to them. Immutable; equal content is the same object. */
export interface ReadyView {
  readonly kind: "ready";
  /** The default one first. */
  readonly identities: readonly HeldIdentity[];
  readonly bundle: X509Bundle;
  /** Of the trust domains that the identities federate with, as far as they are known. */
  readonly federated: ReadonlyMap<TrustDomain, X509Bundle>;
  /** JWT keys of the own trust domain, and of those federated with. */
  readonly jwtBundles: JwtBundleSet;
}

/** What callers with one set of selectors get now. */
export type IdentityView =
  /** The agent has not heard of its entries yet. */
  | { readonly kind: "unknown" }
  /** No entry fits. */
  | { readonly kind: "denied" }
  /** An entry fits, its SVID is being signed. */
  | { readonly kind: "waiting" }
  /** An entry fits, and no valid SVID can be had. */
  | { readonly kind: "unavailable"; readonly text: string }
  | ReadyView;

/** A caller's hold on its group. */
export interface GroupHold {
  readonly view: Latest<IdentityView>;
  /** What the group asks for, and what of it has to be made. */
  readonly asked: readonly AskedKey[];
  /** Idempotent. */
  release(): void;
}

interface Group {
  readonly key: string;
  readonly selectors: readonly Selector[];
  readonly view: Latest<IdentityView>;
  holders: number;
  entryIds: readonly string[];
  releaseSvids: () => void;
}

/** Groups judged in one turn of the event loop. */
const GROUPS_PER_TURN = 256;

/**
 * Callers by their selectors: each distinct set is matched and assembled once, whatever the number of its streams, and
 * all of them get the very same answer.
 */
export class IdentityGroups {
  readonly #picture: Picture;
  readonly #keeper: SvidKeeper;
  readonly #clock: Clock;
  readonly #groups = new Map<string, Group>();
  readonly #dirty = new Set<string>();
  readonly #wake: Wake;

  constructor(deps: {
    readonly picture: Picture;
    readonly keeper: SvidKeeper;
    readonly clock: Clock;
  }) {
    this.#picture = deps.picture;
    this.#keeper = deps.keeper;
    this.#clock = deps.clock;
    this.#wake = new Wake(deps.clock);
    this.#picture.onChange(() => {
      this.#mark(() => true);
    });
    this.#keeper.onChange((ids) => {
      this.#mark((group) => group.entryIds.some((id) => ids.has(id)));
    });
  }

  /** How many distinct sets of selectors are held. */
  get size(): number {
    return this.#groups.size;
  }

  /** Joins the group of these selectors (sorted, without doubles); its view is judged at once. */
  hold(selectors: readonly Selector[]): GroupHold {
    const key = groupKey(selectors);
    const group = this.#groups.get(key) ?? this.#open(key, selectors);
    group.holders++;
    let held = true;
    return {
      view: group.view,
      asked: group.entryIds.map((entryId) => {
        const entry = this.#picture.entries.byId(entryId);
        const svid = entry === undefined ? undefined : this.#keeper.svid(entry);
        return { entryId, isMissing: svid === undefined };
      }),
      release: () => {
        if (!held) return;
        held = false;
        group.holders--;
        if (group.holders > 0) return;
        group.releaseSvids();
        this.#groups.delete(key);
        this.#dirty.delete(key);
      },
    };
  }

  /** IDs of the entries whose identities open streams hold. */
  servedEntries(): ReadonlySet<string> {
    return new Set([...this.#groups.values()].flatMap(({ entryIds }) => entryIds));
  }

  /** The entries that fit, without asking for their SVIDs. */
  entriesOf(selectors: readonly Selector[]): readonly Entry[] {
    const nowSeconds = BigInt(Math.floor(this.#clock.now() / 1000));
    const entries = this.#picture.entries
      .match(selectors)
      .filter(({ expiresAt }) => expiresAt === 0n || expiresAt > nowSeconds);
    return assembleIdentities(entries).slice(0, IDENTITIES_PER_CALLER_MAX);
  }

  /** The JWT keys that the holder of these entries may judge others by: our own domain's, and those federated with. */
  jwtBundlesOf(entries: readonly Entry[]): JwtBundleSet {
    const bundles = [this.#picture.bundle, ...this.#federatedWith(entries)];
    return new Map(bundles.map(({ trustDomain, jwt }) => [trustDomain, jwt]));
  }

  /** Brings views up to date after changes, a burst at a time, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#wake.wait(undefined, signal);
      const keys = [...this.#dirty];
      this.#dirty.clear();
      let told = false;
      for (const [i, key] of keys.entries()) {
        if (i > 0 && i % GROUPS_PER_TURN === 0) await nextTurn();
        const group = this.#groups.get(key);
        if (group !== undefined && this.#judge(group)) told = true;
      }
      // Only after something was sent: what waits for its SVID is to go out as soon as that is there.
      if (told) await this.#clock.sleep(COALESCE_MS, { signal });
    }
  }

  /** Looks at everything anew, e.g. when SVIDs may have expired. */
  refresh(): void {
    this.#mark(() => true);
  }

  /** Ends all views. */
  close(): void {
    for (const group of this.#groups.values()) group.view.close();
  }

  #open(key: string, selectors: readonly Selector[]): Group {
    const group: Group = {
      key,
      selectors,
      view: new Latest<IdentityView>({ kind: "waiting" }),
      holders: 0,
      entryIds: [],
      releaseSvids: () => {},
    };
    this.#groups.set(key, group);
    this.#judge(group);
    return group;
  }

  #mark(which: (group: Group) => boolean): void {
    for (const group of this.#groups.values()) if (which(group)) this.#dirty.add(group.key);
    if (this.#dirty.size > 0) this.#wake.wake();
  }

  /** @returns Whether its callers get something else now. */
  #judge(group: Group): boolean {
    const entries = this.entriesOf(group.selectors);
    this.#want(group, entries);
    const next = this.#viewOf(group, entries);
    if (next === undefined) return false;
    group.view.set(next);
    return true;
  }

  #want(group: Group, entries: readonly Entry[]): void {
    const ids = entries.map(({ id }) => id);
    if (sameList(ids, group.entryIds)) return;
    const release = this.#keeper.want(ids);
    group.releaseSvids();
    group.releaseSvids = release;
    group.entryIds = ids;
  }

  /** The view as it should be; undefined to leave it as it is. */
  #viewOf(group: Group, entries: readonly Entry[]): IdentityView | undefined {
    const before = group.view.value;
    const settle = (kind: "unknown" | "denied" | "waiting"): IdentityView | undefined =>
      before.kind === kind ? undefined : { kind };
    if (!this.#picture.known) return settle("unknown");
    if (entries.length === 0) return settle("denied");
    const identities: HeldIdentity[] = [];
    const missing: Entry[] = [];
    for (const entry of entries) {
      const svid = this.#keeper.svid(entry);
      if (svid === undefined) missing.push(entry);
      else identities.push({ entry, svid });
    }
    const pending = missing.some(({ id }) => this.#keeper.trouble(id) === undefined);
    if (identities.length === 0) {
      if (pending) return settle("waiting");
      const text = this.#keeper.trouble(missing[0]?.id ?? "") ?? "no valid SVID";
      return before.kind === "unavailable" && before.text === text
        ? undefined
        : { kind: "unavailable", text };
    }
    // A new identity is worth a moment's wait; one that was taken away is not.
    if (pending && (before.kind !== "ready" || holdsAll(before, entries))) {
      return before.kind === "ready" ? undefined : settle("waiting");
    }
    const next = this.#ready(entries, identities);
    return before.kind === "ready" && sameReady(before, next) ? undefined : next;
  }

  #federatedWith(entries: readonly Entry[]): readonly TrustBundle[] {
    const names = new Set(federatedDomains(entries));
    return [...this.#picture.federated.values()].filter(({ trustDomain }) =>
      names.has(trustDomain),
    );
  }

  #ready(entries: readonly Entry[], identities: readonly HeldIdentity[]): ReadyView {
    const { bundle } = this.#picture;
    const foreign = this.#federatedWith(entries);
    return {
      kind: "ready",
      identities,
      bundle: bundle.x509,
      federated: new Map(foreign.map(({ trustDomain, x509 }) => [trustDomain, x509])),
      jwtBundles: this.jwtBundlesOf(entries),
    };
  }
}

/** Whether everything that was sent may still be held. */
function holdsAll(before: ReadyView, entries: readonly Entry[]): boolean {
  const ids = new Map(entries.map((entry) => [entry.id, entry.spiffeId]));
  return before.identities.every(({ entry }) => ids.get(entry.id) === entry.spiffeId);
}

function sameReady(a: ReadyView, b: ReadyView): boolean {
  return (
    a.bundle.revision === b.bundle.revision &&
    a.identities.length === b.identities.length &&
    a.identities.every(({ svid, entry }, i) => {
      const other = b.identities[i];
      return svid === other?.svid && entry.hint === other.entry.hint;
    }) &&
    a.federated.size === b.federated.size &&
    [...a.federated].every(
      ([name, { revision }]) => b.federated.get(name)?.revision === revision,
    ) &&
    a.jwtBundles.size === b.jwtBundles.size &&
    [...a.jwtBundles].every(([name, { revision }]) => b.jwtBundles.get(name)?.revision === revision)
  );
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
