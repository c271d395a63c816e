import type { TrustDomain, X509BundleSet } from "@bonafide/spiffe";
import { sameBundle, type TrustBundle } from "../core/bundle.ts";
import { diffEntries } from "../core/entry-diff.ts";
import { type EntryChanges, EntryIndex } from "../core/entry-index.ts";
import type { Entry } from "../core/entry.ts";

/** The name of a ledger state, as the server gave it. */
export interface StateName {
  readonly epoch: number;
  readonly n: bigint;
  readonly root: Uint8Array;
}

/** What one round of syncing brought; absent fields did not change. */
export interface PictureUpdate {
  /** The whole set, or what changed in it. */
  readonly entries:
    | { readonly kind: "whole"; readonly entries: readonly Entry[] }
    | ({ readonly kind: "changes" } & EntryChanges)
    | { readonly kind: "same" };
  readonly bundle?: TrustBundle;
  /** The whole set of federated bundles, or what changed in it. */
  readonly federated?:
    | { readonly kind: "whole"; readonly bundles: readonly TrustBundle[] }
    | {
        readonly kind: "changes";
        readonly bundles: readonly TrustBundle[];
        readonly removed: readonly TrustDomain[];
      };
  readonly state?: StateName;
  readonly revision?: bigint;
}

/** What an adopted update changed. */
export interface PictureChange {
  readonly entries: boolean;
  readonly bundle: boolean;
  readonly federated: boolean;
}

/**
 * What the agent knows of the world: the bundles and its entries. One writer, the synchroniser; readers look at it within
 * one turn and keep nothing of it but immutable values.
 */
export class Picture {
  readonly trustDomain: TrustDomain;
  readonly entries: EntryIndex = new EntryIndex();
  #bundle: TrustBundle;
  #federated: ReadonlyMap<TrustDomain, TrustBundle> = new Map();
  #state: StateName | undefined;
  #revision = 0n;
  #known = false;
  #version = 0;
  readonly #listeners: ((change: PictureChange) => void)[] = [];

  /** @param bundle  The own trust domain's, from bootstrap or disk. */
  constructor(bundle: TrustBundle) {
    this.trustDomain = bundle.trustDomain;
    this.#bundle = bundle;
  }

  get bundle(): TrustBundle {
    return this.#bundle;
  }

  get federated(): ReadonlyMap<TrustDomain, TrustBundle> {
    return this.#federated;
  }

  get state(): StateName | undefined {
    return this.#state;
  }

  /** The server's revision of this picture, 0 for none. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Counts the updates adopted: what was asked for under another number may lack some of them. */
  get version(): number {
    return this.#version;
  }

  /** Whether the entry set was ever heard of, now or before a restart. */
  get known(): boolean {
    return this.#known;
  }

  /** The own bundle as a set, for verifying servers and own SVIDs. */
  get ownBundles(): X509BundleSet {
    return new Map([[this.trustDomain, this.#bundle.x509]]);
  }

  /** Calls `listener` in the turn of each change; for the agent's own parts, which live as long as the picture. */
  onChange(listener: (change: PictureChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Adopts an update whole. */
  adopt(update: PictureUpdate): void {
    this.#version++;
    const changes = entryChanges(update, this.entries);
    const entries = changes.upserts.length > 0 || changes.removedIds.length > 0;
    this.entries.apply(changes);
    const bundle = update.bundle !== undefined && !sameBundle(update.bundle, this.#bundle);
    // An equal bundle keeps its identity, so that caches keyed by it stay warm; its number may rise.
    if (update.bundle !== undefined) {
      this.#bundle = bundle ? update.bundle : { ...this.#bundle, sequence: update.bundle.sequence };
    }
    const federated = this.#adoptFederated(update);
    this.#state = update.state ?? this.#state;
    this.#revision = update.revision ?? this.#revision;
    const first = !this.#known;
    this.#known = true;
    if (!first && !entries && !bundle && !federated) return;
    for (const listener of this.#listeners)
      listener({ entries: entries || first, bundle, federated });
  }

  /** Replaces the own bundle alone, e.g. by one under the recovery key. */
  adoptBundle(bundle: TrustBundle): void {
    if (sameBundle(bundle, this.#bundle)) return;
    this.#bundle = bundle;
    for (const listener of this.#listeners) {
      listener({ entries: false, bundle: true, federated: false });
    }
  }

  #adoptFederated({ federated }: PictureUpdate): boolean {
    if (federated === undefined) return false;
    const next =
      federated.kind === "whole"
        ? new Map<TrustDomain, TrustBundle>()
        : new Map<TrustDomain, TrustBundle>(this.#federated);
    if (federated.kind === "changes") for (const name of federated.removed) next.delete(name);
    for (const bundle of federated.bundles) {
      // The own domain's authorities never come in by this door.
      if (bundle.trustDomain !== this.trustDomain) next.set(bundle.trustDomain, bundle);
    }
    const changed =
      next.size !== this.#federated.size ||
      [...next].some(([name, bundle]) => !sameBundle(bundle, this.#federated.get(name)));
    if (changed) this.#federated = next;
    return changed;
  }
}

function entryChanges({ entries }: PictureUpdate, index: EntryIndex): EntryChanges {
  switch (entries.kind) {
    case "whole":
      return diffEntries(index.entries(), entries.entries);
    case "changes":
      return entries;
    case "same":
      return { upserts: [], removedIds: [] };
    default:
      return entries satisfies never;
  }
}
