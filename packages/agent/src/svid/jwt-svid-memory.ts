import type { JwtSvid } from "@bonafide/spiffe";

interface Kept {
  readonly svid: JwtSvid;
  /** Whose caller it was signed for. */
  readonly owner: number;
}

/** JWT-SVIDs by name. When it is full, the user with the most of them loses the one unused for longest. */
export class JwtSvidMemory {
  readonly #max: number;
  /** Unused for longest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #held = new Map<number, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The one of this name, as the one used last. */
  find(name: string): JwtSvid | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept.svid;
  }

  keep(name: string, owner: number, svid: JwtSvid): void {
    this.delete(name);
    this.#kept.set(name, { svid, owner });
    this.#held.set(owner, (this.#held.get(owner) ?? 0) + 1);
    if (this.#kept.size > this.#max) this.#forgetOne();
  }

  delete(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#kept.delete(name);
    const left = (this.#held.get(kept.owner) ?? 1) - 1;
    if (left === 0) this.#held.delete(kept.owner);
    else this.#held.set(kept.owner, left);
  }

  deleteWhere(isBad: (svid: JwtSvid) => boolean): void {
    for (const [name, { svid }] of this.#kept) if (isBad(svid)) this.delete(name);
  }

  clear(): void {
    this.#kept.clear();
    this.#held.clear();
  }

  #forgetOne(): void {
    const most = Math.max(...this.#held.values());
    for (const [name, { owner }] of this.#kept) {
      if (this.#held.get(owner) !== most) continue;
      this.delete(name);
      return;
    }
  }
}
