import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CAUSES, RUNGS } from "./core/why/causes.ts";

test("docs/why.md has a section for every cause, in the order of the ladder, and for nothing else", async () => {
  const path = join(import.meta.dirname, "../../../docs/why.md");
  const text = await readFile(path, "utf8");
  const documented = [...text.matchAll(/^### `([^`]+)`\n\n(.+)\.\n/gm)].map((match) => [
    match[1],
    (match[2] ?? "").toLowerCase(),
  ]);
  assert.deepEqual(
    documented,
    Object.entries(CAUSES).map(([code, { summary }]) => [code, summary.toLowerCase()]),
  );
  const rungs = [...text.matchAll(/^## \d\. (.+)$/gm)].map((match) => match[1]?.toLowerCase());
  assert.deepEqual(
    rungs,
    RUNGS.map((rung) => rung.toLowerCase()),
  );
});
