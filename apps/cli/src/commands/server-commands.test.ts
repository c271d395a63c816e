import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openTestServer, type TestServer } from "@bonafide/server/testing";
import { EXIT } from "../exit-codes.ts";
import { type TestCommands, testCommands } from "../testing/run-commands.ts";

const PARENT = "spiffe://example.org/rack-7";
const folder = mkdtempSync(join(tmpdir(), "bf-cmd-"));
let server: TestServer;
let cli: TestCommands;
before(async () => {
  server = await openTestServer();
  const { adminSocketPath } = server.server;
  cli = testCommands({ BONAFIDE_SERVER_SOCKET: adminSocketPath, BONAFIDE_AGENT_SOCKET: "/nope" });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const create = (path: string, ...more: readonly string[]) =>
  cli.json(
    "entry",
    "create",
    "-spiffeID",
    `spiffe://example.org${path}`,
    "-parentID",
    PARENT,
    "-selector",
    "unix:uid:0",
    ...more,
  );

test("entry update changes what is given, keeps the rest, and clears what it is told to", async () => {
  const made = await create("/u", "--ttl", "60", "--owner", "team-a", "-dns", "u.example.org");
  const id = String(made["id"]);
  const changed = await cli.json("entry", "update", "-entryID", id, "-hint", "inner", "-admin");
  const { warnings: _, revision, ...old } = made;
  const { revision: newer, ...rest } = changed;
  assert.ok(Number(newer) > Number(revision));
  assert.deepEqual(rest, { ...old, hint: "inner", admin: true });
  const cleared = await cli.json("entry", "update", id, "--clear", "dns-name", "--clear", "admin");
  assert.deepEqual([cleared["dnsNames"], cleared["admin"], cleared["hint"]], [[], false, "inner"]);
  assert.equal(cleared["owner"], "team-a");
  assert.equal(cleared["x509SvidTtlSeconds"], 60);
});

test("entry update refuses what says nothing, twice or of no entry", async () => {
  const id = "0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5";
  for (const words of [
    [],
    [id],
    [id, "--clear", "selector"],
    [id, "-hint", "a", "--clear", "hint"],
  ]) {
    assert.equal((await cli.run("entry", "update", ...words)).code, EXIT.usage, words.join(" "));
  }
  const none = await cli.run("entry", "update", id, "--ttl", "5m");
  assert.equal(none.code, EXIT.no, none.err);
  assert.match(none.err, /RPC_NOT_FOUND/);
});

test("entry count counts what fits", async () => {
  await create("/counted-a", "--hint", "h");
  await create("/counted-b", "--hint", "h", "--downstream");
  assert.deepEqual(await cli.json("entry", "count", "-hint", "h"), { count: 2 });
  assert.deepEqual(await cli.json("entry", "count", "-hint", "h", "-downstream"), { count: 1 });
  assert.equal(
    (await cli.run("entry", "count", "-spiffeID", "spiffe://example.org/no")).out,
    "0\n",
  );
});

test("entry create -node makes a node alias, and takes no parent beside it", async () => {
  const alias = ["-spiffeID", "spiffe://example.org/rack", "-selector", "x509pop:subject:cn:a"];
  const made = await cli.json("entry", "create", "-node", ...alias);
  assert.equal(made["parentId"], "spiffe://example.org/spire/server");
  const both = await cli.run("entry", "create", "-node", "-parentID", PARENT, ...alias);
  assert.equal(both.code, EXIT.usage);
  assert.equal((await cli.run("entry", "create", ...alias)).code, EXIT.usage);
});

test("agent show, count and purge speak of nodes by what they are", async () => {
  const { id } = await server.join();
  const shown = await cli.json("agent", "show", "-spiffeID", id);
  assert.deepEqual([shown["id"], shown["attestationType"]], [id, "join_token"]);
  assert.match((await cli.run("agent", "show", id)).out, /^comes back +by its last SVID$/m);
  assert.deepEqual(await cli.json("agent", "count", "-attestationType", "join_token"), {
    count: 1,
  });
  assert.deepEqual(await cli.json("agent", "count", "-banned"), { count: 0 });
  const past = "2001-01-01T00:00:00Z";
  assert.deepEqual(await cli.json("agent", "count", "-expiresBefore", past), { count: 0 });
  assert.equal((await cli.run("agent", "list", "--expires-before", "soon")).code, EXIT.usage);
  assert.deepEqual((await cli.json("agent", "purge", "--all"))["purged"], []);
  const unknown = `spiffe://example.org/spire/agent/join_token/${"0".repeat(36)}`;
  assert.equal((await cli.run("agent", "show", unknown)).code, EXIT.no);
});

test("x509 mint: the key is made here, written for its owner only, and fits the certificate", async () => {
  const id = "spiffe://example.org/router";
  const minted = await cli.json(
    "x509",
    "mint",
    "-spiffeID",
    id,
    "-dns",
    "r.example.org",
    "-write",
    folder,
  );
  assert.equal(minted["spiffeId"], id);
  assert.equal(statSync(join(folder, "key.pem")).mode & 0o777, 0o600);
  const leaf = new X509Certificate(readFileSync(join(folder, "svid.pem")));
  assert.match(String(leaf.subjectAltName), /URI:spiffe:\/\/example\.org\/router/);
  const printed = await cli.run("x509", "mint", "--spiffe-id", id, "--ttl", "60");
  assert.match(printed.out, /BEGIN CERTIFICATE.*BEGIN PRIVATE KEY.*BEGIN CERTIFICATE/s);
  assert.match(printed.err, /^good for (?:59s|1m)/);
  assert.equal(
    (await cli.run("x509", "mint", "-spiffeID", "spiffe://other.org/a")).code,
    EXIT.data,
  );
});

test("-output json, as SPIRE's scripts have it, is --json", async () => {
  const told = await cli.run("entry", "count", "-output", "json");
  assert.match(told.out, /^\{"count":\d+\}\n$/);
  assert.match((await cli.run("entry", "count", "--output=pretty")).out, /^\d+\n$/);
  assert.equal((await cli.run("entry", "count", "-output", "yaml")).code, EXIT.usage);
});

test("a dry run says which node would gain or lose an entry, and writes nothing", async () => {
  const { id } = await server.join();
  const words = ["-parentID", id, "-selector", "unix:uid:7", "--dry-run"];
  const web = ["entry", "create", "-spiffeID", "spiffe://example.org/dry"];
  const dry = await cli.run(...web, ...words);
  assert.equal(dry.code, EXIT.ok, dry.err);
  assert.match(dry.out, new RegExp(`1 node is concerned\n  ${id} gains [0-9a-f-]{36}\n$`));
  assert.deepEqual(await cli.json("entry", "count", "-spiffeID", "spiffe://example.org/dry"), {
    count: 0,
  });
  const made = await cli.json(...web, ...words.slice(0, -1));
  const again = await cli.run(...web, ...words);
  assert.equal(again.code, EXIT.no);
  assert.match(again.err, new RegExp(`ENTRY_EXISTS\\)\n  next: .*${String(made["id"])}`));
  const narrower = await cli.json(...web, ...words, "-selector", "unix:gid:7");
  assert.match(JSON.stringify(narrower["preview"]), /"code":"entry.redundant"/);
  const loss = await cli.json("entry", "delete", "--dry-run", String(made["id"]));
  const preview = {
    nodes: 1,
    effects: [{ nodeId: id, gained: [], lost: [made["id"]] }],
    relations: [],
  };
  const gone = { id: made["id"], spiffeId: "spiffe://example.org/dry", preview };
  assert.deepEqual(loss, { dryRun: true, results: [gone] });
  assert.equal((await cli.run("entry", "delete", "--dry-run", "nope")).code, EXIT.no);
  assert.equal((await cli.run("entry", "show", String(made["id"]))).code, EXIT.ok);
});

test("status says who serves, which authorities sign, and how long all lasts without servers", async () => {
  await create("/lasting", "--ttl", "10m");
  await server.join();
  const { server: told, agent } = await cli.json("status");
  assert.equal(agent, null);
  assert.match(JSON.stringify(told), /"use":"x509","server":"[^"]+","state":"active"/);
  assert.match(JSON.stringify(told), /"x509Svids":\{"firstMs":27000,"lastMs":3600000\}/);
  const { out, code } = await cli.run("status");
  assert.equal(code, EXIT.ok);
  assert.match(out, /^server [0-9a-f-]{36}, version 0\.1, answers here, up /m);
  assert.match(out, /^X\.509 authority [0-9a-f]{12}, active, .* old, ends in 6d23h$/m);
  assert.match(
    out,
    /^if every server died now:\n {2}workloads' X509-SVIDs {2}first ends in 27s or later/m,
  );
  assert.match(out, /^ {2}a node comes back by itself for 30d after its SVID ended$/m);
  const nowhere = await testCommands({
    BONAFIDE_SERVER_SOCKET: "/nope",
    BONAFIDE_AGENT_SOCKET: "/nope",
  }).run("status");
  assert.equal(nowhere.code, EXIT.unavailable, nowhere.err);
});
