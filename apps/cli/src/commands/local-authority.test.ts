import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestServer } from "@bonafide/server/testing";
import { EXIT } from "../exit-codes.ts";
import { testCommands } from "../testing/run-commands.ts";

/** Authorities that `show --json` told of, as "id state". */
function states({ authorities }: Readonly<Record<string, unknown>>): string[] {
  assert.ok(Array.isArray(authorities));
  return authorities.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`);
}

/** The id in what `prepare --json` and the like say. */
function idOf(said: Readonly<Record<string, unknown>>, key: string): string {
  const authority: unknown = said[key];
  assert.ok(typeof authority === "object" && authority !== null && "id" in authority);
  return String(authority.id);
}

for (const use of ["x509", "jwt"] as const) {
  test(`localauthority ${use}: prepare, activate, taint and revoke, each shown`, async () => {
    await using server = await openTestServer({ options: { forcedSpreadMs: 0 } });
    const cli = testCommands({ BONAFIDE_SERVER_SOCKET: server.server.adminSocketPath });
    const words = ["localauthority", use] as const;
    const [first = ""] = states(await cli.json(...words, "show"));
    const old = first.split(" ")[0] ?? "";
    assert.equal(first, `${old} active`);
    const next = idOf(await cli.json(...words, "prepare"), "prepared");
    assert.deepEqual(states(await cli.json(...words, "show")), [`${next} prepared`, first]);
    const activated = await cli.json(...words, "activate", "-authorityID", next);
    assert.equal(idOf(activated, "activated"), next);
    const early = await cli.run(...words, "revoke", old);
    assert.equal(early.code, EXIT.no, early.err);
    assert.match(early.err, /AUTHORITY_NOT_TAINTED/);
    assert.equal(idOf(await cli.json(...words, "taint", old), "tainted"), old);
    assert.equal(idOf(await cli.json(...words, "revoke", old), "revoked"), old);
    const shown = await cli.run(...words, "show");
    assert.match(shown.out, new RegExp(`${next} +active .*this server`));
    assert.match(shown.out, new RegExp(`${old} +revoked`));
  });
}

test("localauthority takes one id", async () => {
  const cli = testCommands({});
  for (const words of [[], ["a", "b"], ["a", "--authority-id", "b"], [""]]) {
    const { code } = await cli.run("localauthority", "x509", "taint", ...words);
    assert.equal(code, EXIT.usage, words.join(" "));
  }
});

test("upstreamauthority says that this server has none", async () => {
  await using server = await openTestServer();
  const cli = testCommands({ BONAFIDE_SERVER_SOCKET: server.server.adminSocketPath });
  for (const verb of ["taint", "revoke"]) {
    const { code, err } = await cli.run("upstreamauthority", verb, "-subjectKeyID", "00");
    assert.equal(code, EXIT.no, err);
    assert.match(err, /AUTHORITY_UPSTREAM_MISMATCH/);
  }
});
