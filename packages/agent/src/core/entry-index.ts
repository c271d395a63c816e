import { compareEntries, type Entry, type Selector, selectorText } from "./entry.ts";

/** A selector that entries ask for: one object each, so that looking it up leads to all that is known of it. */
interface Wanted {
  readonly text: string;
  /** Entries that ask for it. */
  uses: number;
  /** Entries that are looked at when a caller has it, by id. */
  posted: Map<string, Indexed> | undefined;
}

interface Indexed {
  readonly entry: Entry;
  /** The selector under which the entry is posted. */
  readonly posted: Wanted | undefined;
  /** Its other ones, without doubles. */
  readonly others: readonly Wanted[];
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
  readonly #wanted = new Map<string, Wanted>();
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
    const has = new Set<Wanted>();
    for (const selector of selectors) {
      const wanted = this.#wanted.get(selectorText(selector));
      if (wanted !== undefined) has.add(wanted);
    }
    const found: Entry[] = [];
    for (const { posted } of has) {
      if (posted === undefined) continue;
      for (const { entry, others } of posted.values()) {
        if (others.every((other) => has.has(other))) found.push(entry);
      }
    }
    return found.toSorted(compareEntries);
  }

  #intern(selectors: readonly Selector[]): Wanted[] {
    const needs = new Set<Wanted>();
    for (const selector of selectors) {
      const text = selectorText(selector);
      const wanted = this.#wanted.get(text) ?? { text, uses: 0, posted: undefined };
      this.#wanted.set(text, wanted);
      needs.add(wanted);
    }
    for (const wanted of needs) wanted.uses++;
    return [...needs];
  }

  #post(entry: Entry, needs: readonly Wanted[]): void {
    let posted: Wanted | undefined;
    for (const need of needs) {
      if (posted === undefined || need.uses < posted.uses) posted = need;
    }
    const others = needs.filter((need) => need !== posted);
    const indexed: Indexed = { entry, posted, others };
    this.#byId.set(entry.id, indexed);
    if (posted === undefined) return;
    posted.posted ??= new Map();
    posted.posted.set(entry.id, indexed);
  }

  #remove(id: string): void {
    const indexed = this.#byId.get(id);
    if (indexed === undefined) return;
    this.#byId.delete(id);
    const { posted, others } = indexed;
    if (posted === undefined) return;
    posted.posted?.delete(id);
    if (posted.posted?.size === 0) posted.posted = undefined;
    for (const need of [posted, ...others]) {
      need.uses--;
      // Selectors come and go with entries; the table must not grow with all that were ever seen.
      if (need.uses === 0) this.#wanted.delete(need.text);
    }
  }
}
