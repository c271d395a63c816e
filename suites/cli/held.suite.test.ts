import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { connectSocket } from "@bonafide/cli/socket-client";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { CommandLine, type Serving } from "./command-line.ts";

const options = { timeout: 240_000 } as const;
const folder = mkdtempSync("/tmp/bf-held-");
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const data = join(folder, "server");
const store = join(data, "ledger.sqlite");
const socket = join(data, "private", "admin.sock");
const cli = new CommandLine({ server: socket, agent: "/nope" });

async function start(running: AsyncDisposableStack): Promise<Serving> {
  const words = ["--trust-domain=example.org", `--data-dir=${data}`, "--listen=127.0.0.1:0"];
  return running.use(await cli.serve(["server", "run", ...words]));
}

const create = (path: string): readonly string[] => [
  "entry",
  "create",
  `--spiffe-id=spiffe://example.org${path}`,
  "--parent-id=spiffe://example.org/spire/server",
  "--selector=join_token:x",
];

/** More changes than a server puts back without a person. */
const TOO_MANY = 4200;

async function createMany(count: number): Promise<void> {
  using client = connectSocket("server", { path: socket, source: "the test" });
  const trustDomain = "example.org";
  for (let from = 0; from < count; from += 200) {
    const entries = Array.from({ length: 200 }, (_, i) => ({
      spiffeId: { trustDomain, path: `/many-${from + i}` },
      parentId: { trustDomain, path: "/node" },
      selectors: [{ type: "unix", value: `uid:${from + i}` }],
    }));
    const { results } = await client.client(Entry).batchCreateEntry({ entries });
    assert.ok(results.every(({ status }) => status?.code === 0));
  }
}

/** Stops the server, puts a copy in the store's place as docs/plugins/store-sqlite.md says, and starts it again. */
async function restore(server: Serving, copy: string): Promise<void> {
  await server[Symbol.asyncDispose]();
  renameSync(store, `${store}.away`);
  for (const part of ["-wal", "-shm"]) rmSync(`${store}${part}`, { force: true });
  copyFileSync(copy, store);
}

async function paths(): Promise<readonly string[]> {
  const { entries } = await cli.json("entry", "list");
  return Array.from(JSON.stringify(entries).matchAll(/"spiffeId":"[^"]*(\/\w+)"/g), ([, path]) =>
    String(path),
  ).toSorted();
}

test(
  "an old copy of the store is held, served as it was, and goes on when a person accepts it",
  options,
  async () => {
    const copy = join(folder, "copy.sqlite");
    const serve = (): Promise<Serving> => start(running);
    await using running = new AsyncDisposableStack();
    let server = await serve();
    await cli.json(...create("/kept"));
    const { id: gone } = await cli.json(...create("/removed"));
    await server[Symbol.asyncDispose]();
    copyFileSync(store, copy);

    server = await serve();
    await cli.json("entry", "delete", String(gone));
    await cli.json(...create("/lost"));
    await createMany(TOO_MANY);
    await restore(server, copy);
    server = await serve();

    assert.match(
      server.said,
      /^on hold, writes nothing; serving what it remembers on port \d+; admin socket /,
    );
    const health = await cli.run("server", "healthcheck");
    assert.equal(health.code, 1);
    assert.match(health.out, /^on hold \(\S+\): .*remembered: \d+ changes, stored: \d+/m);
    assert.match(health.out, /put the right database back and restart/);
    assert.match(health.out, /bonafide ledger accept-rewind/);
    const refused = await cli.run(...create("/meanwhile"));
    assert.equal(refused.code, 1, refused.err);
    assert.match(refused.err, /\(LEDGER_HELD\)\n {2}next: bonafide server healthcheck/);

    const accepted = await cli.run("ledger", "accept-rewind");
    assert.equal(accepted.code, 0, accepted.err);
    assert.match(accepted.out, /^accepted; the server writes again: epoch \d+, n \d+\n$/);
    assert.equal((await cli.run("server", "healthcheck")).code, 0);
    await cli.json(...create("/after"));
    assert.deepEqual(await paths(), ["/after", "/kept"], "the removal is put back");
    assert.match((await cli.run("ledger", "verify")).out, /^clean: /);
    const log = await cli.run("ledger", "log");
    assert.match(log.out, new RegExp(`by uid ${process.getuid?.() ?? 0}.*: accept-rewind$`, "m"));
    await server[Symbol.asyncDispose]();
    const { err } = await server.end;
    assert.match(err, /^bonafide: on hold: /m);
  },
);
