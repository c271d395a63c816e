import type { ProjectionRow, RowColumns } from "@bonafide/ledger";
import type { EntryFilter, NodeFilter, NodeSoftState, SetMatch } from "../store/read-stores.ts";

/** Columns of one kind. */
export type ColumnsOf<K extends RowColumns["kind"]> = Extract<RowColumns, { readonly kind: K }>;

/** The filter's meaning, word for word; a database's answer must be the same. */
export function entryMatches(columns: ColumnsOf<"entry">, filter: EntryFilter): boolean {
  return (
    (filter.spiffeId === undefined || columns.spiffeId === filter.spiffeId) &&
    (filter.parentId === undefined || columns.parentId === filter.parentId) &&
    setMatches(columns.selectors, filter.selectors) &&
    setMatches(columns.federatesWith, filter.federatesWith) &&
    (filter.hint === undefined || columns.hint === filter.hint) &&
    (filter.downstream === undefined || columns.downstream === filter.downstream)
  );
}

/** The filter's meaning, word for word. */
export function nodeMatches(
  columns: ColumnsOf<"node">,
  soft: NodeSoftState | undefined,
  filter: NodeFilter,
): boolean {
  return (
    columns.state !== "evicted" &&
    (filter.attestationType === undefined || columns.attestationType === filter.attestationType) &&
    setMatches(columns.selectors, filter.selectors) &&
    (filter.banned === undefined || (columns.state === "banned") === filter.banned) &&
    (filter.canReattest === undefined || columns.canReattest === filter.canReattest) &&
    (filter.expiresBeforeMs === undefined ||
      (soft !== undefined && soft.expiresAtMs < filter.expiresBeforeMs))
  );
}

/** Rows in the order of kind, then key. */
export function compareRows(
  a: Pick<ProjectionRow, "kindNumber" | "key">,
  b: Pick<ProjectionRow, "kindNumber" | "key">,
): number {
  return a.kindNumber - b.kindNumber || Buffer.compare(a.key, b.key);
}

function setMatches(words: readonly string[], wanted: SetMatch | undefined): boolean {
  if (wanted === undefined) return true;
  if (words.length === 0) return false;
  const has = new Set(words);
  const wants = new Set(wanted.words);
  switch (wanted.match) {
    case "exact":
      return has.size === wants.size && has.isSubsetOf(wants);
    case "subset":
      return has.isSubsetOf(wants);
    case "superset":
      return has.isSupersetOf(wants);
    default:
      return !has.isDisjointFrom(wants);
  }
}
