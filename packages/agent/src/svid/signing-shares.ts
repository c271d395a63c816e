import { judgeShare } from "../core/fair-share.ts";
import { JWT_SIGNINGS_MAX, JWT_SIGNINGS_PER_UID_MAX } from "../limits.ts";

/** Signatures that are waited for, by owner: one whose caller has left goes on, and is nobody's stream any more. */
export class SigningShares {
  readonly #running = new Map<number, number>();
  #all = 0;

  /** Whether one more was counted; then {@link end} is to be called, once. */
  begin(owner: number): boolean {
    const own = this.#running.get(owner) ?? 0;
    const refusal = judgeShare({
      own,
      ownMax: JWT_SIGNINGS_PER_UID_MAX,
      all: this.#all,
      max: JWT_SIGNINGS_MAX,
      isRoot: owner === 0,
    });
    if (refusal !== undefined) return false;
    this.#running.set(owner, own + 1);
    this.#all++;
    return true;
  }

  end(owner: number): void {
    this.#all--;
    const left = (this.#running.get(owner) ?? 1) - 1;
    if (left === 0) this.#running.delete(owner);
    else this.#running.set(owner, left);
  }
}
