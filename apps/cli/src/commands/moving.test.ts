import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { openTestServer, type TestServer } from "@bonafide/server/testing";
import { openSqliteStore } from "@bonafide/store-sqlite";
import { EXIT } from "../exit-codes.ts";
import { type TestCommands, testCommands } from "../testing/run-commands.ts";

const folder = mkdtempSync(join(tmpdir(), "bf-move-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function commandsOf({ server }: TestServer): TestCommands {
  return testCommands({ BONAFIDE_SERVER_SOCKET: server.adminSocketPath });
}

/** Entries as they are compared: what a server counts by itself is left out. */
function compared(text: string): readonly unknown[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command wrote
  const { entries } = JSON.parse(text) as { entries: { readonly id?: string }[] };
  return entries
    .map((entry) => ({ ...entry, revisionNumber: 0, createdAt: 0 }))
    .toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
}

test("1,000 entries are equal after a round trip, and a second import changes nothing", async () => {
  const trustDomain = "example.org";
  const [from, to] = [join(folder, "from.json"), join(folder, "to.json")];
  let banned: string;
  {
    await using server = await openTestServer();
    for (let part = 0; part < 5; part++) {
      const entries = Array.from({ length: 200 }, (_, i) => {
        const n = part * 200 + i;
        return {
          spiffeId: { trustDomain, path: `/service-${n}` },
          parentId: { trustDomain, path: `/rack-${n % 7}` },
          selectors: [
            { type: "unix", value: `uid:${n}` },
            { type: "k8s", value: "ns:prod" },
          ],
          x509SvidTtl: n % 3 === 0 ? 600 : 0,
          jwtSvidTtl: n % 5 === 0 ? 60 : 0,
          dnsNames: n % 4 === 0 ? [`s${n}.example.org`] : [],
          hint: n % 2 === 0 ? `h${n}` : "",
          downstream: n % 100 === 0,
          admin: n % 250 === 0,
          expiresAt: n % 9 === 0 ? 4_000_000_000n : 0n,
        };
      });
      const { results } = await server.local(Entry).batchCreateEntry({ entries });
      assert.ok(results.every(({ status }) => status?.code === 0));
    }
    banned = (await server.join()).id;
    const cli = commandsOf(server);
    assert.equal((await cli.run("agent", "ban", banned)).code, EXIT.ok);
    const { entries, banned: bans } = await cli.json("export", "spire", from);
    assert.ok(Number(entries) >= 1000);
    assert.equal(bans, 1);
    assert.equal(statSync(from).mode & 0o777, 0o600);
  }
  await using server = await openTestServer();
  const cli = commandsOf(server);
  const imported = await cli.run("import", "spire", from, "--json");
  // The banned node never joined this server; that it is not banned here is said, and is a no.
  assert.equal(imported.code, EXIT.no, imported.err);
  assert.match(imported.out, /"entries":\{"written":10\d\d,"there":0,"failed":\[\]\}/);
  assert.match(imported.out, new RegExp(`"failed":\\[\\{"item":"${banned}"`));
  await cli.json("export", "spire", to);
  assert.deepEqual(compared(readFileSync(to, "utf8")), compared(readFileSync(from, "utf8")));
  const again = await cli.run("import", "spire", from, "--json");
  assert.match(again.out, /"entries":\{"written":0,"there":10\d\d,"failed":\[\]\}/);
});

test("a file that is none, or of another trust domain, changes nothing", async () => {
  await using server = await openTestServer();
  const cli = commandsOf(server);
  const file = join(folder, "bad.json");
  for (const text of [
    "",
    "[]",
    "{}",
    '{"version":1}',
    '{"version":1,"trustDomain":"other.org"}',
    '{"version":1,"trustDomain":"example.org","entries":[{"id":7}]}',
  ]) {
    writeFileSync(file, text);
    const refused = await cli.run("import", "spire", file);
    assert.equal(refused.code, EXIT.data, `${text}: ${refused.err}`);
    assert.match(refused.err, /\(IMPORT_INVALID\)/);
  }
  assert.equal((await cli.run("import", "spire", join(folder, "none"))).code, EXIT.config);
  assert.deepEqual(await cli.json("entry", "count"), { count: 0 });
});

test("a backup of a running server is whole, and restored in a stopped one's place", async () => {
  const data = join(folder, "server");
  mkdirSync(data, { mode: 0o700 });
  const path = join(data, "ledger.sqlite");
  const file = join(folder, "backup.sqlite");
  const store = await openSqliteStore({ path });
  const server = await openTestServer({ store });
  const cli = commandsOf(server);
  const dir = ["--data-dir", data];
  const words = ["-parentID", "spiffe://example.org/n", "-selector", "unix:uid:1"];
  await cli.json("entry", "create", "-spiffeID", "spiffe://example.org/kept", ...words);
  const { state } = await cli.json("backup", file, ...dir);
  assert.match(JSON.stringify(state), /"root":"[0-9a-f]{64}"/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await cli.json("entry", "create", "-spiffeID", "spiffe://example.org/later", ...words);
  assert.equal((await cli.run("backup", file, ...dir)).code, EXIT.cannotCreate);
  const locked = await cli.run("restore", file, ...dir);
  assert.equal(locked.code, EXIT.busy, locked.err);
  assert.match(locked.err, /STORE_LOCKED/);
  await server[Symbol.asyncDispose]();
  const damaged = join(folder, "damaged.sqlite");
  copyFileSync(file, damaged);
  using db = new DatabaseSync(damaged);
  db.exec("UPDATE entry SET spiffe_id = 'spiffe://example.org/forged'");
  const refused = await cli.run("restore", damaged, ...dir);
  assert.equal(refused.code, EXIT.data, refused.err);
  assert.match(refused.err, /\(BACKUP_INVALID\)/);
  writeFileSync(`${file}-wal`, "what would be lost");
  assert.match((await cli.run("restore", file, ...dir)).err, /\(BACKUP_INVALID\)/);
  rmSync(`${file}-wal`);
  const nowhere = await cli.run("restore", file, "--data-dir", join(folder, "nowhere"));
  assert.equal(nowhere.code, EXIT.config, nowhere.err);
  assert.match(nowhere.err, /nowhere is not there; .*\(FILE_UNREADABLE\)/);
  const restored = await cli.json("restore", file, ...dir);
  assert.deepEqual(restored["state"], state);
  assert.ok(readdirSync(data).some((name) => name.startsWith("ledger.sqlite.before-")));
  await using again = await openTestServer({ store: await openSqliteStore({ path }) });
  const { entries } = await commandsOf(again).json("entry", "list");
  assert.match(JSON.stringify(entries), /\/kept/);
  assert.doesNotMatch(JSON.stringify(entries), /\/later/);
});

test("a backup that is damaged, no store, or not there is refused before anything is touched", async () => {
  const cli = testCommands({});
  const data = join(folder, "empty");
  mkdirSync(data, { mode: 0o700 });
  const file = join(folder, "no.sqlite");
  writeFileSync(file, "this is no database, and never was one".repeat(100));
  const refused = await cli.run("restore", file, "--data-dir", data);
  assert.equal(refused.code, EXIT.data, refused.err);
  assert.match(refused.err, /no\.sqlite is damaged.*\(BACKUP_INVALID\)/);
  const none = await cli.run("restore", join(folder, "none"), "--data-dir", data);
  assert.equal(none.code, EXIT.config);
  assert.equal(
    (await cli.run("backup", join(folder, "b"), "--data-dir", data)).code,
    EXIT.unavailable,
  );
  assert.deepEqual(readdirSync(data), []);
});
