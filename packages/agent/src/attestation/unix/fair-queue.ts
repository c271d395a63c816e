/**
 * Work that users wait for, taken in turns: a piece for one user, then for the next, and of each user's work in order.
 * One that many users wait for has a place with each of them.
 */
export class FairQueue<T> {
  readonly #perUidMax: number;
  /** Whose turn it is comes first. */
  readonly #waiting = new Map<number, T[]>();

  /** @param perUidMax  Works that one user may wait for. */
  constructor(perUidMax: number) {
    this.#perUidMax = perUidMax;
  }

  /** @returns False if this user waits for as much as it may; then nothing was added. */
  add(uid: number, work: T): boolean {
    const own = this.#waiting.get(uid) ?? [];
    if (own.includes(work)) return true;
    if (own.length >= this.#perUidMax) return false;
    own.push(work);
    this.#waiting.set(uid, own);
    return true;
  }

  /**
   * The oldest work that can be done of the user whose turn it is; the turn goes on to the next user. The work keeps its
   * place until it is removed.
   */
  next(canBeDone: (work: T) => boolean): T | undefined {
    for (const [uid, own] of this.#waiting) {
      const work = own.find(canBeDone);
      if (work === undefined) continue;
      this.#waiting.delete(uid);
      this.#waiting.set(uid, own);
      return work;
    }
    return undefined;
  }

  /** Takes a work away from everybody who waits for it. */
  remove(work: T): void {
    for (const [uid, own] of this.#waiting) {
      const at = own.indexOf(work);
      if (at < 0) continue;
      own.splice(at, 1);
      if (own.length === 0) this.#waiting.delete(uid);
    }
  }
}
