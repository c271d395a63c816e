import type { DecisionRecord } from "@bonafide/authz";
import { RECORDS_MAX } from "../limits.ts";

/** Records that waited, and how many did not fit. */
export interface RecordReport {
  readonly records: readonly DecisionRecord[];
  /** Records that were thrown away since the last look, the oldest first. */
  readonly dropped: number;
}

/** Records that wait to be taken: never more than so many, never in the way of a call. */
export class RecordRing {
  readonly #max: number;
  #records: DecisionRecord[] = [];
  /** Where the oldest stands once the ring is full. */
  #at = 0;
  #dropped = 0;

  constructor({ max = RECORDS_MAX }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  /** Adds a record, in place of the oldest if there are too many. */
  add(record: DecisionRecord): void {
    if (this.#records.length < this.#max) {
      this.#records.push(record);
      return;
    }
    this.#dropped++;
    if (this.#max === 0) return;
    this.#records[this.#at] = record;
    this.#at = (this.#at + 1) % this.#max;
  }

  /** All that wait, the oldest first, and starts anew. */
  take(): RecordReport {
    const records = [...this.#records.slice(this.#at), ...this.#records.slice(0, this.#at)];
    const report = { records, dropped: this.#dropped };
    this.#records = [];
    this.#at = 0;
    this.#dropped = 0;
    return report;
  }
}
