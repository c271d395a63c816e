interface Remembered {
  readonly hex: string;
  /** Whose process it was computed for. */
  readonly uid: number;
}

/** Digests that are known, by file. When it is full, the user with the most of them loses the one unused for longest. */
export class DigestMemory {
  readonly #max: number;
  /** Unused for longest first. */
  readonly #byKey = new Map<string, Remembered>();

  constructor(max: number) {
    this.#max = max;
  }

  find(key: string): string | undefined {
    const found = this.#byKey.get(key);
    if (found === undefined) return undefined;
    this.#byKey.delete(key);
    this.#byKey.set(key, found);
    return found.hex;
  }

  remember(key: string, uid: number, hex: string): void {
    this.#byKey.set(key, { hex, uid });
    if (this.#byKey.size > this.#max) this.#forgetOne();
  }

  #forgetOne(): void {
    const held = new Map<number, number>();
    let most = -1;
    for (const { uid } of this.#byKey.values()) {
      const count = (held.get(uid) ?? 0) + 1;
      held.set(uid, count);
      if (count > (held.get(most) ?? 0)) most = uid;
    }
    for (const [key, { uid }] of this.#byKey) {
      if (uid !== most) continue;
      this.#byKey.delete(key);
      return;
    }
  }
}
