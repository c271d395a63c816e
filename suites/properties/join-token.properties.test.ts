import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestServer } from "@bonafide/server/testing";

test("P1.4: a join token spent once buys no second identity, whoever shows it", async () => {
  await using server = await openTestServer();
  const token = await server.token();
  const first = await server.join(token);
  assert.match(first.id, /^spiffe:\/\/example\.org\/spire\/agent\/join_token\//);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(server.join(token), { status: "invalid_argument" });
  }
  await assert.rejects(server.join(`${token}x`), { status: "invalid_argument" });
});
