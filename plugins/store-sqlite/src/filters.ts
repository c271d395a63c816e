import type { SQLInputValue } from "node:sqlite";
import type { EntryFilter, NodeFilter, SetMatch } from "@bonafide/plugin-api";
import { WORD_LISTS } from "./schema.ts";

/** A condition and its values, in order. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** The condition for an entry of alias `r`. */
export function entryCondition(filter: EntryFilter): Condition {
  return all([
    equal("r.spiffe_id", filter.spiffeId),
    equal("r.parent_id", filter.parentId),
    ...matching("r.selectors", WORD_LISTS.entrySelectors, filter.selectors),
    ...matching("r.federates_with", WORD_LISTS.entryFederatesWith, filter.federatesWith),
    equal("r.hint", filter.hint),
    equal("r.downstream", filter.downstream),
  ]);
}

/** The condition for a node of alias `r`, with its soft state, if any, as `s`. */
export function nodeCondition(filter: NodeFilter): Condition {
  const { banned, expiresBeforeMs } = filter;
  return all([
    { sql: "r.state <> 'evicted'", values: [] },
    equal("r.attestation_type", filter.attestationType),
    ...matching("r.selectors", WORD_LISTS.nodeSelectors, filter.selectors),
    banned === undefined
      ? undefined
      : { sql: banned ? "r.state = 'banned'" : "r.state <> 'banned'", values: [] },
    equal("r.can_reattest", filter.canReattest),
    expiresBeforeMs === undefined
      ? undefined
      : { sql: "s.expires_at_ms < ?", values: [expiresBeforeMs] },
  ]);
}

function all(conditions: readonly (Condition | undefined)[]): Condition {
  const given = conditions.filter((condition) => condition !== undefined);
  return {
    sql: ["1", ...given.map(({ sql }) => sql)].join(" AND "),
    values: given.flatMap(({ values }) => values),
  };
}

function equal(column: string, value: string | boolean | undefined): Condition | undefined {
  if (value === undefined) return undefined;
  return { sql: `${column} = ?`, values: [typeof value === "boolean" ? Number(value) : value] };
}

/** The index over words finds candidates; what is left of the match is checked on their own words. */
function matching(column: string, list: number, wanted: SetMatch | undefined): Condition[] {
  if (wanted === undefined) return [];
  const distinct = [...new Set(wanted.words)];
  const json = JSON.stringify(distinct);
  const inIndex = `SELECT key FROM row_word WHERE list = ${list} AND word IN (SELECT value FROM json_each(?))`;
  const any = { sql: `r.key IN (${inIndex})`, values: [json] };
  const superset = {
    sql: `r.key IN (${inIndex} GROUP BY key HAVING count(*) = ?)`,
    values: [json, distinct.length],
  };
  switch (wanted.match) {
    case "any":
      return [any];
    case "superset":
      return [superset];
    case "exact":
      return [superset, { sql: `json_array_length(${column}) = ?`, values: [distinct.length] }];
    default:
      return [
        any,
        {
          sql: `NOT EXISTS (SELECT 1 FROM json_each(${column}) w WHERE w.value NOT IN (SELECT value FROM json_each(?)))`,
          values: [json],
        },
      ];
  }
}
