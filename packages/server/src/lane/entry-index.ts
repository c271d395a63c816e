import { type EntryObject, selectorText } from "@bonafide/ledger";
import type { EntryLikeness, Known } from "./registry-view.ts";

type KnownEntry = Known<EntryObject>;

/** Entries by parent, by SPIFFE ID, by likeness and by each trust domain they federate with. */
export class EntryIndex {
  readonly #byParent = new Map<string, Map<string, KnownEntry>>();
  readonly #bySpiffeId = new Map<string, Map<string, KnownEntry>>();
  readonly #byLikeness = new Map<string, Map<string, KnownEntry>>();
  readonly #byFederation = new Map<string, Map<string, KnownEntry>>();

  /** Takes an entry in; one of the same id must have been removed before. */
  add(entry: KnownEntry): void {
    const { id, parentId, spiffeId, federatesWith } = entry.object;
    addTo(this.#byParent, parentId, id, entry);
    addTo(this.#bySpiffeId, spiffeId, id, entry);
    addTo(this.#byLikeness, likenessText(entry.object), id, entry);
    for (const name of federatesWith) addTo(this.#byFederation, name, id, entry);
  }

  /** Takes an entry out. */
  remove(entry: KnownEntry): void {
    const { id, parentId, spiffeId, federatesWith } = entry.object;
    removeFrom(this.#byParent, parentId, id);
    removeFrom(this.#bySpiffeId, spiffeId, id);
    removeFrom(this.#byLikeness, likenessText(entry.object), id);
    for (const name of federatesWith) removeFrom(this.#byFederation, name, id);
  }

  /** Entries of a parent. */
  byParent(parentId: string): Iterable<KnownEntry> {
    return this.#byParent.get(parentId)?.values() ?? [];
  }

  /** Entries of a SPIFFE ID. */
  bySpiffeId(spiffeId: string): Iterable<KnownEntry> {
    return this.#bySpiffeId.get(spiffeId)?.values() ?? [];
  }

  /** Entries that federate with a trust domain. */
  byFederation(trustDomain: string): Iterable<KnownEntry> {
    return this.#byFederation.get(trustDomain)?.values() ?? [];
  }

  /** Entries that SPIRE would call the same; more than one only after a rewind was mended. */
  byLikeness(likeness: EntryLikeness): Iterable<KnownEntry> {
    return this.#byLikeness.get(likenessText(likeness))?.values() ?? [];
  }
}

function addTo(
  index: Map<string, Map<string, KnownEntry>>,
  word: string,
  id: string,
  entry: KnownEntry,
): void {
  const found = index.get(word);
  if (found === undefined) index.set(word, new Map([[id, entry]]));
  else found.set(id, entry);
}

function removeFrom(index: Map<string, Map<string, KnownEntry>>, word: string, id: string): void {
  const found = index.get(word);
  found?.delete(id);
  if (found?.size === 0) index.delete(word);
}

/** Two entries are alike exactly if their texts are the same. */
export function likenessText({ spiffeId, parentId, selectors }: EntryLikeness): string {
  const words = new Set(selectors.map(selectorText));
  return JSON.stringify([spiffeId, parentId, ...[...words].toSorted()]);
}
