import { BonafideError } from "@bonafide/errors";
import { equalBytes } from "@bonafide/ledger";
import type { AppendBatch, Head } from "./ledger-store.ts";
import type { EntryFilter, NodeFilter, SetMatch } from "./read-stores.ts";
import { STORE_ERRORS } from "./store-errors.ts";
import { APPEND_LEAVES_MAX, FILTER_WORDS_MAX, PAGE_MAX, SOFT_STATES_MAX } from "./store-limits.ts";

/** For stores. @throws STORE_ARGUMENT  not 1..10000 */
export function checkLimit(limit: number): void {
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= PAGE_MAX)) {
    throw argument(`a page has 1 to ${PAGE_MAX} rows`);
  }
}

/** For stores. @throws STORE_ARGUMENT  an empty or a huge set of words */
export function checkFilter(filter: EntryFilter | NodeFilter): void {
  checkWords(filter.selectors);
  if ("federatesWith" in filter) checkWords(filter.federatesWith);
}

function checkWords(set: SetMatch | undefined): void {
  if (set === undefined) return;
  if (set.words.length < 1 || set.words.length > FILTER_WORDS_MAX) {
    throw argument(`a set in a filter has 1 to ${FILTER_WORDS_MAX} words`);
  }
}

/** For stores. @throws STORE_ARGUMENT */
export function checkSoftStates(states: readonly unknown[]): void {
  if (states.length > SOFT_STATES_MAX) throw argument(`more than ${SOFT_STATES_MAX} soft states`);
}

/** For stores. @throws STORE_ARGUMENT  the batch is no continuation of `expected` */
export function checkBatch(expected: Head, batch: AppendBatch): void {
  const { leaves, next, openedIn } = batch;
  if (leaves.length > APPEND_LEAVES_MAX) throw argument("too many leaves in one batch");
  const grows = next.n === expected.n + leaves.length;
  const same = leaves.length > 0 || equalBytes(next.root, expected.root);
  const opens = next.epoch > expected.epoch && openedIn !== undefined;
  const stays = next.epoch === expected.epoch && openedIn === undefined;
  if (!(grows && same && (opens || stays))) throw argument("a batch does not continue its head");
}

function argument(why: string): BonafideError {
  return new BonafideError(STORE_ERRORS, "STORE_ARGUMENT", why);
}
