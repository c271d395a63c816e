import { whenAborted } from "@bonafide/lifetime";

/**
 * Reads one stream until it ends.
 *
 * @param deliver  Asked before each update is adopted: false once another stream has taken over.
 */
export type ReadStream = (deliver: () => boolean, signal: AbortSignal) => Promise<void>;

interface Standing {
  readonly end: () => void;
  /** Settled once nothing of it is left; never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Streams one after the other, of which the next takes over before the one before ends (ADR-0110): while the SVID that
 * they were opened with is replaced, there is always one that delivers, and never two.
 */
export class PushStreams {
  #before: Standing | undefined;
  #gone: Promise<unknown> = Promise.resolve();

  /** Whether a stream of an SVID before still delivers. */
  get isStanding(): boolean {
    return this.#before !== undefined;
  }

  /**
   * Reads a stream. The one before it ends with its first update.
   *
   * @param rotated  Aborts when another SVID is there: a stream that has delivered then stands until the next one has.
   * @throws what the stream failed with; the one before, if it stands, goes on
   */
  async follow(
    read: ReadStream,
    rotated: AbortSignal,
    signal: AbortSignal,
  ): Promise<"ended" | "rotated"> {
    const ending = new AbortController();
    let isDelivering = false;
    const deliver = (): boolean => {
      if (ending.signal.aborted) return false;
      if (!isDelivering) this.endStanding();
      isDelivering = true;
      return true;
    };
    const reading = read(deliver, AbortSignal.any([signal, ending.signal]));
    const how = await Promise.race([
      reading.then(() => "ended" as const),
      whenAborted(rotated).then(() => "rotated" as const),
    ]);
    if (how === "ended") return how;
    const standing: Standing = {
      end: () => {
        ending.abort(new Error("another stream has taken over"));
      },
      ended: reading
        .catch(() => {}) // the next stream meets what ended this one
        .finally(() => {
          if (this.#before === standing) this.#before = undefined;
        }),
    };
    if (isDelivering) this.#before = standing;
    else {
      standing.end();
      await standing.ended;
    }
    return how;
  }

  /** Ends the stream of an SVID before, if there is one; it delivers nothing any more. */
  endStanding(): void {
    const before = this.#before;
    if (before === undefined) return;
    this.#before = undefined;
    before.end();
    this.#gone = Promise.all([this.#gone, before.ended]);
  }

  /** Ends what stands, and waits until nothing is left. */
  async close(): Promise<void> {
    this.endStanding();
    await this.#gone;
  }
}
