import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { principalOf } from "@bonafide/authz";
import { isSpiffeId } from "@bonafide/spiffe";

// The access model has a reader of its own, for it runs in browsers; it must never know another ID than the SDK does.

const vectors: unknown = JSON.parse(
  readFileSync(
    new URL("../packages/spiffe/src/id/testdata/spiffe-id-vectors.json", import.meta.url),
    "utf8",
  ),
);

test("the access model takes exactly the SPIFFE IDs that the SDK takes", () => {
  const ids = textsIn(vectors).flatMap((text) => [text, `spiffe://${text}/a`]);
  for (let code = 0; code < 0x10000; code++) {
    const char = String.fromCharCode(code);
    ids.push(`spiffe://td${char}/a`, `spiffe://td/a${char}b`, `spiffe://td/${char}`);
  }
  for (const id of ids) assert.equal(isTaken(id), isSpiffeId(id), JSON.stringify(id));
  assert.ok(ids.some(isTaken));
});

function isTaken(workload: string): boolean {
  try {
    principalOf({ workload });
    return true;
  } catch {
    return false;
  }
}

function textsIn(json: unknown): readonly string[] {
  if (typeof json === "string") return [json];
  return typeof json === "object" && json !== null ? Object.values(json).flatMap(textsIn) : [];
}
