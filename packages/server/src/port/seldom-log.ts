import type { Clock, Log, LogEvent } from "@bonafide/lifetime";

/** Lines about one thing are at least this far apart, ms. */
const SELDOM_MS = 10_000;
/** Things remembered; beyond, all count as one. */
const THINGS_MAX = 1000;

/** A log for what strangers can cause as often as they like: a line about each thing now and then, with what was left out. */
export class SeldomLog {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #log: Log;
  readonly #things = new Map<string, { readonly atMs: number; leftOut: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Writes the event, unless one of its name about the same thing was written just now. */
  write(about: string, event: LogEvent): void {
    const now = this.#clock.monotonicMs();
    for (const [name, { atMs }] of this.#things) {
      if (atMs + SELDOM_MS > now) break;
      if (name !== this.#nameOf(about, event)) this.#things.delete(name);
    }
    const name = this.#nameOf(about, event);
    const last = this.#things.get(name);
    if (last !== undefined && last.atMs + SELDOM_MS > now) {
      last.leftOut++;
      return;
    }
    this.#things.delete(name);
    this.#things.set(name, { atMs: now, leftOut: 0 });
    const leftOut = last?.leftOut ?? 0;
    const fields = { ...event.fields, ...(leftOut === 0 ? {} : { leftOut }) };
    this.#log({ ...event, fields });
  }

  #nameOf(about: string, { event }: LogEvent): string {
    const name = `${event} ${about}`;
    return this.#things.has(name) || this.#things.size < THINGS_MAX ? name : event;
  }
}
