import { createHash, randomUUID } from "node:crypto";
import type { Clock, Log } from "@bonafide/lifetime";
import type { Lane } from "../lane/write-lane.ts";

/** What {@link Alarms} works with. */
export interface AlarmDeps {
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
  readonly serverId: string;
}

/** The same alarm about the same thing is written once in this time, ms: an attacker must not fill the ledger. */
const REPEAT_MS = 600_000;
/** Alarms of any kind in that time. */
const ALARMS_MAX = 100;

/** Writes to the ledger that somebody tried something. */
export class Alarms {
  readonly #deps: AlarmDeps;
  readonly #raised = new Map<string, number>();

  constructor(deps: AlarmDeps) {
    this.#deps = deps;
  }

  /**
   * Raises an alarm, soon and without making the caller wait; a store that refuses leaves it to the log.
   *
   * @param code     Dotted, such as `join_token.other_key`.
   * @param subject  What it is about, without secrets.
   */
  raise(code: string, subject: string, facts: Readonly<Record<string, string>>): void {
    const { clock, log } = this.#deps;
    const now = clock.monotonicMs();
    log({ level: "warn", event: "alarm", fields: { code, subject, ...facts } });
    for (const [name, at] of this.#raised) if (at + REPEAT_MS <= now) this.#raised.delete(name);
    const name = `${code} ${subject}`;
    const isFlood = this.#raised.size >= ALARMS_MAX;
    if (this.#raised.has(name) || isFlood) return;
    this.#raised.set(name, now);
    this.#write(randomUUID(), code, { subject, ...facts }).catch((error: unknown) => {
      log({ level: "warn", event: "alarm.not_written", fields: { code }, error });
    });
  }

  /**
   * Writes what must not happen unseen, and waits for it. The same facts are written once.
   *
   * @throws what the lane throws: nothing was written then, and the caller must not go on
   */
  async record(
    code: string,
    subject: string,
    facts: Readonly<Record<string, string>>,
  ): Promise<void> {
    const all = { subject, ...facts };
    this.#deps.log({ level: "warn", event: "alarm", fields: { code, ...all } });
    const id = createHash("sha256")
      .update(JSON.stringify([code, all]))
      .digest("hex");
    await this.#write(id, code, all);
  }

  async #write(id: string, code: string, facts: Readonly<Record<string, string>>): Promise<void> {
    await this.#deps.lane.submit(
      (view) =>
        view.find("alarm", id) === undefined ? [{ put: { kind: "alarm", id, code, facts } }] : [],
      { actor: { server: this.#deps.serverId, via: "alarm" }, cause: code },
    );
  }
}
