import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Plane, TD, until } from "../../suites/faults/plane.ts";
import { Console, type Dump, SHIFTED_CLI } from "./dump.ts";

// npm run -s example -- conformance/upgrade/make-dump.ts
//
// Writes conformance/upgrade/store-VERSION: the folders of a server and an agent that lived nine days, through the
// command line, on a clock that is moved between the runs. Run it on the commit that is released, never again for it.

const DAY_MS = 86_400_000;
/** Days before now at which the plane ran: the first authority ends at 7 days, so all its states are met. */
const RUNS = [9, 5, 2.5, 1];
const FOLDERS = ["server", "agent"];
const ALIAS = `spiffe://${TD}/node/local`;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifest
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const folder = join(import.meta.dirname, `store-${version}`);
await using plane = await Plane.open();
let console = new Console(plane, 0);

/** Starts the server as it was some days ago. */
async function startServer(daysAgo: number): Promise<void> {
  const shiftMs = -daysAgo * DAY_MS;
  console = new Console(plane, shiftMs);
  const env = { SHIFT_MS: String(shiftMs) };
  await plane.served(plane.startServer({ entry: SHIFTED_CLI, env }), "server");
}

/** Starts an agent on a folder of its own, and waits until it serves or ends. */
async function startAgent(
  daysAgo: number,
  options: { readonly token?: string; readonly dataDir?: string } = {},
): Promise<void> {
  const env = { SHIFT_MS: String(-daysAgo * DAY_MS) };
  await plane.startAgent({ entry: SHIFTED_CLI, env, ...options }).ready;
}

async function token(...flags: readonly string[]): Promise<string> {
  return (await console.row<{ token: string }>("token", "create", ...flags)).token;
}

async function agentIds(): Promise<readonly string[]> {
  const { agents } = await console.row<{ agents: readonly { id: string }[] }>("agent", "list");
  return agents.map(({ id }) => id);
}

/** Joins by a token on a folder that is thrown away. @returns the agent's ID, while it runs */
async function joinOther(daysAgo: number, dataDir: string, secret: string): Promise<string> {
  const before = new Set(await agentIds());
  await startAgent(daysAgo, { token: secret, dataDir });
  const [id] = (await agentIds()).filter((known) => !before.has(known));
  if (id === undefined) throw new Error(`no agent joined:\n${plane.logOf("agent")}`);
  return id;
}

async function createEntries(): Promise<void> {
  const under = ["--parent-id", ALIAS, "--selector"];
  const create = (path: string, ...flags: readonly string[]): Promise<unknown> =>
    console.row("entry", "create", "--spiffe-id", `spiffe://${TD}${path}`, ...flags);
  await create("/web", ...under, "unix:uid:0", "--ttl", "60s", "--dns-name", "web.example.org");
  await create("/db", ...under, "unix:uid:70", "--selector", "unix:path:/usr/bin/db");
  await create("/job", ...under, "launcher:name:job", "--owner", "team", "--label", "tier=batch");
  await create("/admin", ...under, "unix:user:admin", "--admin", "--hint", "person");
  await create("/chosen", ...under, "unix:gid:7", "--entry-id", "chosen-by-an-operator");
  await create("/elsewhere", "--parent-id", `spiffe://${TD}/node/none`, "--selector", "unix:uid:1");
  await create("/gone", ...under, "unix:uid:9", "--entry-id", "to-be-deleted");
  await console.row("entry", "delete", "to-be-deleted");
}

const [first = 0, ...later] = RUNS;
await startServer(first);
writeFileSync(
  plane.path("bundle.pem"),
  await console.run("bundle", "show", "--socket", plane.path("sa", "s")),
);
const banned = await joinOther(first, "banned", await token());
await console.row("agent", "ban", banned);
await plane.agent.ended;
const evicted = await joinOther(first, "evicted", await token());
await console.row("agent", "evict", evicted);
await plane.agent.ended;
const spent = await token("--spiffe-id", ALIAS);
const live = await joinOther(first, "agent", spent);
await plane.agent.stop();
// Another key with a spent token: refused, and an alarm.
await startAgent(first, { token: spent, dataDir: "thief" });
await plane.agent.ended;
await createEntries();
await startAgent(first);
await plane.agent.stop();
await plane.server.stop();

// Each run finds what has become due: prepared, activated, expired; and an agent whose SVID is over, which recovers.
for (const daysAgo of later) {
  await startServer(daysAgo);
  await startAgent(daysAgo);
  await until("the agent has all entries", async () => (await plane.status()).entries >= 5);
  await plane.agent.stop();
  if (daysAgo !== later.at(-1)) await plane.server.stop();
}
const unspentToken = await token("--ttl", "30d");
const leaves = await console.leaves();
const { head } = await console.row<Pick<Dump, "head">>("ledger", "verify");
await plane.server.stop();

const agents = { live, banned, evicted };
const madeAtMs = Date.now() - (later.at(-1) ?? 0) * DAY_MS;
const dump: Dump = { version, madeAtMs, head, leaves, agents, unspentToken, folders: FOLDERS };
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const name of FOLDERS) {
  cpSync(plane.path(name), join(folder, name), {
    recursive: true,
    filter: (path) => !path.endsWith(".lock"),
  });
}
writeFileSync(join(folder, "dump.json"), `${JSON.stringify(dump, null, 2)}\n`);
process.stdout.write(`${folder}: ${leaves.length} leaves\n`);
