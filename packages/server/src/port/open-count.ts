/** Bounds of an {@link OpenCount}. */
export interface OpenCountOptions {
  /** Open at a time under one name. */
  readonly max: number;
  /** Open at a time under all names, default: no bound. */
  readonly totalMax?: number;
}

interface Place {
  readonly end: () => void;
  readonly giveBack: () => void;
}

/**
 * Counts what is open by name (an address, an identity), and gives no more than so many to each. Where all together have
 * what they may have, the name that holds most ends its oldest for the next: nobody is kept out by others' many.
 */
export class OpenCount {
  readonly #max: number;
  readonly #totalMax: number;
  /** Oldest first. */
  readonly #places = new Map<string, Set<Place>>();
  /** The names that hold so many, at the index of that number. */
  readonly #byHeld: Set<string>[] = [];
  #total = 0;

  constructor({ max, totalMax = Infinity }: OpenCountOptions) {
    this.#max = max;
    this.#totalMax = totalMax;
  }

  /**
   * Takes one.
   *
   * @param end  Ends what is open, if its place is wanted for another name.
   * @returns What gives it back, once; undefined: the name has all that it may have
   */
  take(name: string, end: () => void): (() => void) | undefined {
    const held = this.#places.get(name)?.size ?? 0;
    if (held >= this.#max) return undefined;
    if (this.#total >= this.#totalMax && !this.#makeRoom(held)) return undefined;
    const place: Place = {
      end,
      giveBack: () => {
        this.#drop(name, place);
      },
    };
    const places = this.#places.get(name) ?? new Set();
    this.#places.set(name, places);
    places.add(place);
    this.#moved(name, held, held + 1);
    return place.giveBack;
  }

  /** Ends the oldest of who holds most. @returns False: nobody would still have as many as the name that asks, with one more */
  #makeRoom(held: number): boolean {
    while (this.#byHeld.length > 0 && (this.#byHeld.at(-1)?.size ?? 0) === 0) this.#byHeld.pop();
    if (this.#byHeld.length - 1 <= held + 1) return false;
    const [name = ""] = this.#byHeld.at(-1) ?? [];
    const [oldest] = this.#places.get(name) ?? [];
    if (oldest === undefined) return false;
    oldest.giveBack();
    oldest.end();
    return true;
  }

  #drop(name: string, place: Place): void {
    const places = this.#places.get(name);
    if (places?.delete(place) !== true) return;
    if (places.size === 0) this.#places.delete(name);
    this.#moved(name, places.size + 1, places.size);
  }

  #moved(name: string, from: number, to: number): void {
    this.#total += to - from;
    this.#byHeld[from]?.delete(name);
    for (let held = this.#byHeld.length; held <= to; held++) this.#byHeld.push(new Set());
    if (to > 0) this.#byHeld[to]?.add(name);
  }
}
