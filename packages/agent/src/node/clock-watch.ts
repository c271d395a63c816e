import type { Clock, EpochMs, Log } from "@bonafide/lifetime";
import { judgeSkew, type SkewJudgement } from "../core/clock-skew.ts";
import { madeAt, type Validity } from "../core/rotation.ts";

const SET_CLOCK = "set this node's clock; what is issued here counts by the server's";

/** Compares this node's clock with the server's and says whether anything may be issued (ADR-0071). */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  #judgement: SkewJudgement | undefined;

  constructor(deps: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Ours minus the server's, ms; undefined until it was measured. */
  get offsetMs(): number | undefined {
    return this.#judgement?.offsetMs;
  }

  /** False while the clocks are more than five minutes apart. */
  get mayIssue(): boolean {
    return this.#judgement?.kind !== "refuse";
  }

  /** Takes a measurement. @param sentAt  Our time before the server was asked. */
  measure(sentAt: EpochMs, serverTime: EpochMs): void {
    const before = this.#judgement?.kind ?? "ok";
    const now = judgeSkew({ sentAt, receivedAt: this.#clock.now(), serverTime });
    this.#judgement = now;
    if (now.kind === before) return;
    const fields = { offsetMs: now.offsetMs, hint: now.kind === "ok" ? undefined : SET_CLOCK };
    if (now.kind === "ok") this.#log({ level: "info", event: "clock.agrees", fields });
    else if (now.kind === "warn") this.#log({ level: "warn", event: "clock.differs", fields });
    else this.#log({ level: "error", event: "clock.refused", fields });
  }

  /** Takes an SVID that was made a moment ago; it is evidence only where the time as it is known does not fit. */
  sawFresh(validity: Validity): void {
    const now = this.#clock.now();
    const known = now - (this.offsetMs ?? 0);
    if (known >= validity.notBefore && known < validity.notAfter) return;
    this.measure(now, madeAt(validity, now));
  }
}
