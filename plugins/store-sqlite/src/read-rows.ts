import { KINDS, type ProjectionRow, type RowColumns } from "@bonafide/ledger";
import type { ObjectRef } from "@bonafide/plugin-api";
import { blob, integer, type Row, text, words } from "./columns.ts";

/** Runs a query. */
export type Query = (sql: string, ...values: readonly (number | Uint8Array)[]) => Row[];

const TYPED_TABLES: ReadonlyMap<number, string> = new Map([
  [KINDS.entry, "entry"],
  [KINDS.node, "agent"],
  [KINDS.joinToken, "join_token"],
]);
const NOTHING = new Uint8Array();
const OBJECTS =
  "SELECT kind, key, n, first_n, natural_key FROM object WHERE (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?";

/**
 * Rows of the query tables in the order of kind, then key: those of `object`, each with its typed row, and typed rows
 * that no row of `object` stands for, which only an edit can leave.
 *
 * A page reads no more of a typed table than the keys that the page spans, so that all pages together read each table
 * once: a server reads them all when it starts.
 */
export function readRows(
  query: Query,
  after: ObjectRef | undefined,
  limit: number,
): ProjectionRow[] {
  const from = after ?? { kindNumber: -1, key: NOTHING };
  const objects = query(OBJECTS, from.kindNumber, from.key, limit);
  const last = objects.length < limit ? undefined : objects.at(-1);
  const to = last === undefined ? undefined : refOf(last);
  const rows = objects.map((object) => ({ object, ...refOf(object) }));
  const found: Found[] = [...rows];
  const named = new Map(rows.map((row) => [nameOf(row), row]));
  const typedRows = new Map<string, Row>();
  for (const [kindNumber, table] of TYPED_TABLES) {
    for (const typed of typedBetween(query, { kindNumber, table, from, to, limit })) {
      const ref = { kindNumber, key: blob(typed, "key") };
      typedRows.set(nameOf(ref), typed);
      if (!named.has(nameOf(ref))) found.push({ ...ref, object: undefined });
    }
  }
  found.sort((a, b) => a.kindNumber - b.kindNumber || Buffer.compare(a.key, b.key));
  return found.slice(0, limit).map((row) => projection(row, typedRows.get(nameOf(row))));
}

interface Found extends ObjectRef {
  /** Undefined: none stands for the typed row. */
  readonly object: Row | undefined;
}

interface Span {
  readonly kindNumber: number;
  readonly table: string;
  readonly from: ObjectRef;
  /** Undefined: to the end. */
  readonly to: ObjectRef | undefined;
  readonly limit: number;
}

/** Rows of one typed table within a page. Of twice as many as the page holds, enough are left over for it. */
function typedBetween(query: Query, { kindNumber, table, from, to, limit }: Span): Row[] {
  if (kindNumber < from.kindNumber || (to !== undefined && kindNumber > to.kindNumber)) return [];
  const conditions: string[] = [];
  const values: (number | Uint8Array)[] = [];
  if (kindNumber === from.kindNumber) {
    conditions.push("key > ?");
    values.push(from.key);
  }
  if (kindNumber === to?.kindNumber) {
    conditions.push("key <= ?");
    values.push(to.key);
  }
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")} `;
  return query(`SELECT * FROM ${table} ${where}ORDER BY key LIMIT ?`, ...values, 2 * limit);
}

function refOf(row: Row): ObjectRef {
  return { kindNumber: integer(row, "kind"), key: blob(row, "key") };
}

function nameOf({ kindNumber, key }: ObjectRef): string {
  return `${kindNumber} ${Buffer.from(key).toString("latin1")}`;
}

/** Both rows as one; where they differ or one is missing, n is 0, which is never right. */
function projection({ kindNumber, key, object }: Found, typed: Row | undefined): ProjectionRow {
  const [n, firstN] =
    object === undefined ? [0, 0] : [integer(object, "n"), integer(object, "first_n")];
  if (!TYPED_TABLES.has(kindNumber)) {
    const naturalKey = typeof object?.["natural_key"] === "string" ? object["natural_key"] : "";
    return { kindNumber, key, n, firstN, columns: { kind: "other", naturalKey } };
  }
  if (typed === undefined) {
    return { kindNumber, key, n: 0, firstN, columns: { kind: "other", naturalKey: "" } };
  }
  const agree = integer(typed, "n") === n && integer(typed, "first_n") === firstN;
  return { kindNumber, key, n: agree ? n : 0, firstN, columns: typedColumns(kindNumber, typed) };
}

function typedColumns(kindNumber: number, row: Row): RowColumns {
  switch (kindNumber) {
    case KINDS.entry:
      return {
        kind: "entry",
        entryId: text(row, "entry_id"),
        spiffeId: text(row, "spiffe_id"),
        parentId: text(row, "parent_id"),
        selectors: words(row, "selectors"),
        federatesWith: words(row, "federates_with"),
        hint: text(row, "hint"),
        downstream: integer(row, "downstream") !== 0,
      };
    case KINDS.node: {
      const state = text(row, "state");
      return {
        kind: "node",
        spiffeId: text(row, "spiffe_id"),
        attestationType: text(row, "attestation_type"),
        selectors: words(row, "selectors"),
        // Another word comes from an edit; any of ours that the leaf does not have shows it as well.
        state: state === "live" || state === "banned" ? state : "evicted",
        canReattest: integer(row, "can_reattest") !== 0,
      };
    }
    default:
      return {
        kind: "joinToken",
        tokenSha256: text(row, "token_sha256"),
        expiresAtMs: integer(row, "expires_at_ms"),
        spent: integer(row, "spent") !== 0,
      };
  }
}
