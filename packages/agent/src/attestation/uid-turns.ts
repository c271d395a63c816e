/** Options of {@link UidTurns}. */
export interface UidTurnsOptions {
  /** Works of one uid that run at a time. */
  readonly atATimeMax: number;
  /** Works of one uid that wait. */
  readonly waitingMax: number;
}

interface Turns {
  running: number;
  readonly waiting: (() => Promise<void>)[];
}

/** Runs work in order, some of each uid at a time: a user with much of it holds up nobody else. */
export class UidTurns {
  readonly #options: UidTurnsOptions;
  readonly #turns = new Map<number, Turns>();

  constructor(options: UidTurnsOptions) {
    this.#options = options;
  }

  /**
   * Runs work when its turn comes; never in this turn of the event loop.
   *
   * @returns What it gives; undefined if too much waits.
   */
  take<T>(uid: number, work: () => Promise<T>): Promise<T> | undefined {
    const turns = this.#turns.get(uid) ?? { running: 0, waiting: [] };
    if (turns.waiting.length >= this.#options.waitingMax) return undefined;
    this.#turns.set(uid, turns);
    const result = Promise.withResolvers<T>();
    // Whoever waited may have gone; then nobody hears of a failure.
    result.promise.catch(() => {});
    turns.waiting.push(async () => {
      try {
        result.resolve(await work());
      } catch (error) {
        result.reject(error);
      }
    });
    setImmediate(() => {
      this.#next(uid, turns);
    });
    return result.promise;
  }

  #next(uid: number, turns: Turns): void {
    if (turns.running >= this.#options.atATimeMax) return;
    const work = turns.waiting.shift();
    if (work === undefined) {
      if (turns.running === 0 && this.#turns.get(uid) === turns) this.#turns.delete(uid);
      return;
    }
    turns.running++;
    void work().finally(() => {
      turns.running--;
      this.#next(uid, turns);
    });
  }
}
