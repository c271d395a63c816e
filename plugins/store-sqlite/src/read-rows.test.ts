import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { KINDS } from "@bonafide/ledger";
import {
  assert as check,
  boolean,
  constantFrom,
  integer,
  property,
  record,
  uniqueArray,
} from "fast-check";
import { type Query, readRows } from "./read-rows.ts";
import { TABLES } from "./schema.ts";

/** Which rows there are: of `object`, of the typed table, or both. */
const ROWS = uniqueArray(
  record({
    kind: constantFrom(KINDS.entry, KINDS.node, KINDS.joinToken, KINDS.authority),
    key: integer({ min: 0, max: 40 }),
    isObject: boolean(),
    isTyped: boolean(),
  }),
  { selector: ({ kind, key }) => `${kind} ${key}`, maxLength: 60 },
);

const INSERTS: ReadonlyMap<number, string> = new Map([
  [KINDS.entry, "INSERT INTO entry VALUES (?, 1, 1, 'e', 's', 'p', '[]', '[]', '', 0)"],
  [KINDS.node, "INSERT INTO agent VALUES (?, 1, 1, 's', 'join_token', '[]', 'live', 0)"],
  [KINDS.joinToken, "INSERT INTO join_token VALUES (?, 1, 1, 't', 1, 0)"],
]);

test("pages of any size give every row once, in order; a row without its other half has n 0", () => {
  check(
    property(ROWS, integer({ min: 1, max: 7 }), (rows, limit) => {
      using database = new DatabaseSync(":memory:");
      database.exec(TABLES);
      for (const { kind, key, isObject, isTyped } of rows) {
        const bytes = new Uint8Array([key]);
        const object = database.prepare("INSERT INTO object VALUES (?, ?, 1, 1, NULL)");
        if (isObject) object.run(kind, bytes);
        const typed = INSERTS.get(kind);
        if (isTyped && typed !== undefined) database.prepare(typed).run(bytes);
      }
      const query: Query = (sql, ...values) => database.prepare(sql).all(...values);
      const read: string[] = [];
      for (let page = readRows(query, undefined, limit); page.length > 0;) {
        assert.ok(page.length <= limit);
        read.push(...page.map((row) => `${row.kindNumber} ${row.key[0] ?? ""} ${row.n}`));
        page = readRows(query, page.at(-1), limit);
      }
      const expected = rows
        .filter(({ kind, isObject, isTyped }) => isObject || (isTyped && INSERTS.has(kind)))
        .toSorted((a, b) => a.kind - b.kind || a.key - b.key)
        .map(({ kind, key, isObject, isTyped }) => {
          const isWhole = isObject && (isTyped || !INSERTS.has(kind));
          return `${kind} ${key} ${isWhole ? 1 : 0}`;
        });
      assert.deepEqual(read, expected);
    }),
  );
});
