import { type Selector, selectorText } from "@bonafide/ledger";

/** The selectors' texts, each once, sorted: equal exactly if the sets are equal. */
export function selectorSetKey(selectors: readonly Selector[]): string {
  return JSON.stringify([...new Set(selectors.map(selectorText))].toSorted());
}
