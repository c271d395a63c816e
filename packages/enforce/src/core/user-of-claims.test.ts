import assert from "node:assert/strict";
import { test } from "node:test";
import { CHAIN_MAX } from "../limits.ts";
import { userOfClaims } from "./user-of-claims.ts";

const [A, B] = ["spiffe://example.org/a", "spiffe://example.org/b"];

test("a user is read from claims, who acts last comes last", () => {
  assert.deepEqual(userOfClaims({ sub: "alice", exp: 1.5 }), {
    user: "alice",
    actors: [],
    scopes: [],
    expiresAt: 1500,
  });
  const act = { sub: B, act: { sub: A } };
  const { actors, scopes } = userOfClaims({ sub: "alice", exp: 1, scope: "x  y", act });
  assert.deepEqual(
    [actors, scopes],
    [
      [A, B],
      ["x", "y"],
    ],
  );
});

test("claims of another form are refused, and never cut", () => {
  let deep: unknown;
  for (let depth = 0; depth <= CHAIN_MAX; depth++) deep = { sub: A, act: deep };
  const good = { sub: "alice", exp: 1 };
  for (const claims of [
    {},
    { ...good, sub: "" },
    { ...good, exp: "1" },
    { ...good, exp: Number.NaN },
    { ...good, scope: ["x"] },
    { ...good, act: A },
    { ...good, act: null },
    { ...good, act: [] },
    { ...good, act: {} },
    { ...good, act: { sub: A, act: 7 } },
    { ...good, act: deep },
  ]) {
    assert.throws(() => userOfClaims(claims), { code: "CLAIMS_INVALID" }, JSON.stringify(claims));
  }
});
