import { compareEntries, type Entry, type Selector, selectorText } from "./entry.ts";

interface Indexed {
  readonly entry: Entry;
  /** Interned selectors, without doubles. */
  readonly needs: readonly number[];
  /** The selector under which the entry is posted. */
  readonly posted: number;
}

/** What {@link EntryIndex.apply} changes. */
export interface EntryChanges {
  readonly upserts: readonly Entry[];
  readonly removedIds: readonly string[];
}

/**
 * Finds the entries whose selectors a caller all has, in time that does not grow with the number of entries.
 *
 * Each entry is posted once, under its rarest selector; a caller looks only at the lists of its own selectors. An entry
 * without selectors matches nobody.
 */
export class EntryIndex {
  readonly #interned = new Map<string, number>();
  readonly #uses: number[] = [];
  readonly #free: number[] = [];
  readonly #posted = new Map<number, Map<string, Indexed>>();
  readonly #byId = new Map<string, Indexed>();

  constructor(entries: readonly Entry[] = []) {
    this.apply({ upserts: entries, removedIds: [] });
  }

  /** How many entries are held. */
  get size(): number {
    return this.#byId.size;
  }

  /** All entries, in no order. */
  *entries(): Generator<Entry, void, void> {
    for (const { entry } of this.#byId.values()) yield entry;
  }

  byId(id: string): Entry | undefined {
    return this.#byId.get(id)?.entry;
  }

  /** Applies removals, then upserts; the order of neither matters. */
  apply(changes: EntryChanges): void {
    for (const id of changes.removedIds) this.#remove(id);
    for (const { id } of changes.upserts) this.#remove(id);
    // Counted over the whole batch before anything is posted, so that a first load posts by true rarity.
    const needs = changes.upserts.map((entry) => this.#intern(entry.selectors));
    for (const [i, entry] of changes.upserts.entries()) {
      if (this.#byId.has(entry.id)) this.#remove(entry.id);
      this.#post(entry, needs[i] ?? []);
    }
  }

  /** The entries that fit, oldest first. */
  match(selectors: readonly Selector[]): Entry[] {
    const has = new Set<number>();
    for (const selector of selectors) {
      const number = this.#interned.get(selectorText(selector));
      if (number !== undefined) has.add(number);
    }
    const found: Entry[] = [];
    for (const number of has) {
      const list = this.#posted.get(number);
      if (list === undefined) continue;
      for (const { entry, needs } of list.values()) {
        if (needs.every((need) => has.has(need))) found.push(entry);
      }
    }
    return found.toSorted(compareEntries);
  }

  #intern(selectors: readonly Selector[]): number[] {
    const numbers = new Set<number>();
    for (const selector of selectors) {
      const text = selectorText(selector);
      const number = this.#interned.get(text) ?? this.#free.pop() ?? this.#uses.push(0) - 1;
      this.#interned.set(text, number);
      numbers.add(number);
    }
    for (const number of numbers) this.#uses[number] = (this.#uses[number] ?? 0) + 1;
    return [...numbers];
  }

  #post(entry: Entry, needs: readonly number[]): void {
    let posted = -1;
    for (const need of needs) {
      if (posted < 0 || (this.#uses[need] ?? 0) < (this.#uses[posted] ?? 0)) posted = need;
    }
    const indexed: Indexed = { entry, needs, posted };
    this.#byId.set(entry.id, indexed);
    if (posted < 0) return;
    const list = this.#posted.get(posted) ?? new Map<string, Indexed>();
    list.set(entry.id, indexed);
    this.#posted.set(posted, list);
  }

  #remove(id: string): void {
    const indexed = this.#byId.get(id);
    if (indexed === undefined) return;
    this.#byId.delete(id);
    const list = this.#posted.get(indexed.posted);
    list?.delete(id);
    if (list?.size === 0) this.#posted.delete(indexed.posted);
    for (const need of indexed.needs) this.#uses[need] = (this.#uses[need] ?? 1) - 1;
    this.#forgetUnused(indexed);
  }

  /** Selectors come and go with entries; the table must not grow with all that were ever seen. */
  #forgetUnused(indexed: Indexed): void {
    for (const selector of indexed.entry.selectors) {
      const text = selectorText(selector);
      const number = this.#interned.get(text);
      if (number === undefined || this.#uses[number] !== 0) continue;
      this.#interned.delete(text);
      this.#free.push(number);
    }
  }
}
