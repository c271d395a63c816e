/** Counts what is open by name (an address, an identity), and gives no more than so many to each. */
export class OpenCount {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  /** @param max  Open at a time under one name. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one. @returns What gives it back, once; undefined: the name has all that it may have */
  take(name: string): (() => void) | undefined {
    const open = this.#open.get(name) ?? 0;
    if (open >= this.#max) return undefined;
    this.#open.set(name, open + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.#open.get(name) ?? 1) - 1;
      if (left === 0) this.#open.delete(name);
      else this.#open.set(name, left);
    };
  }
}
