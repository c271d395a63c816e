import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { RealPlane } from "../properties/real-plane.ts";
import { type Checkout, copyCheckout } from "../up/checkout.ts";
import { CommandLine, ended } from "./command-line.ts";

const options = {
  timeout: 300_000,
  skip: process.getuid?.() === 0 ? false : "needs root, to be another user",
} as const;
const PARENT = "spiffe://example.org/node/local";

let plane: RealPlane;
let cli: CommandLine;
let checkout: Checkout;
const folder = mkdtempSync("/tmp/bf-cli-");
before(async () => {
  if (options.skip !== false) return;
  plane = await RealPlane.open();
  checkout = copyCheckout({ mode: 0o755 });
  cli = CommandLine.of(plane);
}, options);
after(async () => {
  await plane?.[Symbol.asyncDispose]();
  checkout?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
}, options);

const create = (path: string, ...more: readonly string[]): readonly string[] => [
  "entry",
  "create",
  "-spiffeID",
  `spiffe://example.org${path}`,
  "-parentID",
  PARENT,
  ...(more.includes("-selector") ? [] : ["-selector", "unix:uid:0"]),
  ...more,
];

test(
  "entry: created in SPIRE's spelling, shown, listed, deleted; for people and as JSON",
  options,
  async () => {
    const made = await cli.json(...create("/a", "-x509SVIDTTL", "120", "-dns", "a.example.org"));
    assert.equal(made["spiffeId"], "spiffe://example.org/a");
    assert.equal(made["parentId"], PARENT);
    assert.deepEqual(made["selectors"], ["unix:uid:0"]);
    assert.equal(made["x509SvidTtlSeconds"], 120);
    const id = String(made["id"]);
    const { warnings, ...rest } = made;
    assert.deepEqual(warnings, []);
    assert.deepEqual(await cli.json("entry", "show", id), rest);
    const listed = await cli.run("entry", "list", "-spiffeID", "spiffe://example.org/a");
    assert.match(listed.out, new RegExp(`^ENTRY +SPIFFE ID[^\n]+\n${id} `));
    const deleted = await cli.json("entry", "delete", "-entryID", id);
    assert.deepEqual(deleted["results"], [{ id, deleted: true, message: "deleted" }]);
    assert.equal((await cli.run("entry", "delete", id)).code, 1);
    const none = await cli.run("entry", "show", id);
    assert.equal(none.code, 1);
    assert.match(none.err, /ENTRY_NOT_FOUND\)\n {2}next: bonafide entry list/);
  },
);

test(
  "entry create: a second of the same kind is refused and the first is named",
  options,
  async () => {
    const { id } = await cli.json(...create("/twice"));
    const again = await cli.run(...create("/twice"));
    assert.equal(again.code, 1);
    assert.match(
      again.err,
      new RegExp(`\\(ENTRY_EXISTS\\)\n {2}next: bonafide entry show ${String(id)}`),
    );
  },
);

test(
  "entry create --dry-run judges, says that nothing was written, and writes nothing",
  options,
  async () => {
    const dry = await cli.run(...create("/dry", "--dry-run"));
    assert.equal(dry.code, 0);
    assert.match(dry.err, /dry run: nothing was written/);
    const { entries } = await cli.json("entry", "list", "-spiffeID", "spiffe://example.org/dry");
    assert.deepEqual(entries, []);
  },
);

const refusedEntries: Readonly<Record<string, readonly [readonly string[], number, RegExp]>> = {
  "a reserved ID": [create("/spire/x"), 65, /lies under \/spire/],
  "an ID of another trust domain": [
    [
      "entry",
      "create",
      "-spiffeID",
      "spiffe://other.org/a",
      "-parentID",
      PARENT,
      "-selector",
      "unix:uid:0",
    ],
    65,
    /not in trust domain example\.org/,
  ],
  "a malformed ID": [create("/a/"), 65, /--spiffe-id ".*\/a\/" is no SPIFFE ID.*SPIFFE_ID_INVALID/],
  "a selector that nobody observes": [
    create("/a", "-selector", "unix:udi:0"),
    64,
    /mean unix:uid:/,
  ],
  "a malformed selector": [create("/a", "-selector", "uid"), 64, /TYPE:VALUE/],
  "a misspelt flag": [["entry", "create", "--spiffe-di", "x"], 64, /--spiffe-id\?/],
  "a missing flag": [["entry", "create", "-selector", "a:b"], 64, /--spiffe-id is required/],
};
for (const [name, [words, code, said]] of Object.entries(refusedEntries)) {
  test(`entry create refuses ${name}, in one line with the reason`, options, async () => {
    const refused = await cli.run(...words);
    assert.equal(refused.code, code, refused.err);
    assert.match(refused.err, said);
    assert.match(refused.err, /^bonafide: [^\n]+ \([A-Z_]+\)\n(?: {2}next: [^\n]+\n)?$/);
  });
}

test("token, bundle: what is printed can be used", options, async () => {
  const token = await cli.run("token", "create", "-ttl", "60");
  assert.match(token.out, /^[0-9a-f-]{36}\n$/);
  assert.match(token.err, /good for one agent, for 1m/);
  assert.match(
    (await cli.run("bundle", "show")).out,
    /^# bonafide recovery key: [A-Za-z0-9+/]{43}=\n-----BEGIN CERTIFICATE-----\n/,
  );
  const spiffe = await cli.run("bundle", "show", "-format", "spiffe");
  assert.match(spiffe.out, /"use":"x509-svid"/);
  const { recoveryKey } = await cli.json("bundle", "show");
  assert.equal(
    (await cli.run("bundle", "show", "--format", "recovery-key")).out,
    `${String(recoveryKey)}\n`,
  );
  assert.match(String(recoveryKey), /^[A-Za-z0-9+/]{43}=$/);
  assert.equal((await cli.run("bundle", "show", "-format", "der")).code, 64);
});

test("whoami, why and api fetch x509 agree on who this is", options, async () => {
  await cli.json(...create("/me", "-hint", "me"));
  const files = join(folder, "svid");
  mkdirSync(files);
  writeFileSync(join(files, "svid.0.key"), "old", { mode: 0o644 });
  const { svids } = await cli.json("api", "fetch", "x509", "-timeout", "10", "-write", files);
  assert.match(JSON.stringify(svids), /spiffe:\/\/example\.org\/me/);
  assert.equal(statSync(join(files, "svid.0.key")).mode & 0o777, 0o600);
  assert.equal(statSync(join(files, "svid.0.pem")).mode & 0o777, 0o644);
  const who = await cli.run("whoami");
  assert.equal(who.code, 0);
  assert.match(who.out, /spiffe:\/\/example\.org\/me \(user\)/);
  assert.match(who.out, /^process \d+ \(uid 0, gid 0, known by p/m);
  const why = await cli.run("why", "--pid", String(process.pid));
  assert.equal(why.code, 0, why.err);
  assert.match(why.out, /uid 0, gid 0, known by pidfd/);
  const missing = await cli.run(
    "why",
    "--pid",
    String(process.pid),
    "--want",
    "spiffe://example.org/no",
  );
  assert.equal(missing.code, 1);
  assert.match(missing.out, /first cause: .*\(entry\.none\)/);
  assert.match(
    missing.out,
    /to mend it:\n {2}bonafide entry create --spiffe-id spiffe:\/\/example\.org\/no/,
  );
  assert.equal((await cli.run("why", "d-nope")).code, 1);
  assert.equal((await cli.run("why")).code, 64);
  assert.equal((await cli.run("why", "--pid", "1", "--want", "x")).code, 65);
  const nowhere = await cli.run("api", "fetch", "x509", "-write", join(folder, "none"));
  assert.equal(nowhere.code, 73);
  assert.match(nowhere.err, /OUTPUT_UNWRITABLE/);
});

test("a JWT-SVID is fetched, judged and minted", options, async () => {
  const audience = "spiffe://example.org/db";
  await cli.json(...create("/token"));
  const id = "spiffe://example.org/token";
  const fetch = ["api", "fetch", "jwt", "-audience", audience, "-spiffeID", id];
  let fetched = await cli.run(...fetch);
  // The agent hears of the entry a moment later.
  for (let tries = 0; fetched.code !== 0 && tries < 50; tries++) fetched = await cli.run(...fetch);
  assert.equal(fetched.code, 0, fetched.err);
  const mint = await cli.run("jwt", "mint", "-spiffeID", id, "-audience", audience, "-ttl", "1m");
  assert.equal(mint.code, 0, mint.err);
  for (const token of [fetched.out.trim(), mint.out.trim()]) {
    const judged = await cli.run("api", "validate", "jwt", "-audience", audience, "-svid", token);
    assert.deepEqual([judged.code, judged.out.trim()], [0, id], judged.err);
    const wrong = await cli.run("api", "validate", "jwt", "-audience", "x", "-svid", token);
    assert.notEqual(wrong.code, 0);
  }
  assert.equal((await cli.run("api", "fetch", "jwt")).code, 64);
});

test(
  "a stranger is refused with a decision id, and why explains it by that id",
  options,
  async () => {
    const stranger = CommandLine.of(plane, checkout);
    const who = await ended(stranger.start(["whoami"], { uid: 61_501 }));
    assert.equal(who.code, 1, who.err);
    assert.match(who.out, /^no identity; for the reason: bonafide why d-\S+\n/);
    const exec = ["exec", "--as", "web", "--uid", "61502", "--", "true"];
    const asOther = await ended(stranger.start(exec, { uid: 61_501 }));
    assert.equal(asOther.code, 77);
    assert.match(asOther.err, /only root may start a program as uid 61502 \(USER_NOT_PERMITTED\)/);
    const [id] = /d-\S+/.exec(who.out) ?? [];
    const why = await cli.run("why", String(id), "--json");
    assert.equal(why.code, 1);
    assert.match(why.out, /"firstCause":\{"code":"entry\./);
    assert.doesNotMatch(why.out, /\$typeName/);
  },
);

test(
  "exec: the program's exit code and signals are passed on; a missing one is 127",
  options,
  async () => {
    const exec = (...program: readonly string[]) =>
      cli.run("exec", "--as", "web", "--", ...program);
    assert.equal((await exec("sh", "-c", "exit 7")).code, 7);
    assert.equal((await exec("sh", "-c", "kill -HUP $$")).code, 129);
    assert.equal((await exec("no-such-program")).code, 127);
    assert.equal((await cli.run("exec", "--as", "BAD NAME", "--", "true")).code, 65);
    assert.equal((await cli.run("exec", "--as", "web")).code, 64);
    const child = cli.start([
      "exec",
      "--as",
      "web",
      "--",
      "sh",
      "-c",
      "trap 'exit 9' HUP; echo up; while :; do sleep 0.1; done",
    ]);
    await once(child.stdout ?? child, "data");
    child.kill("SIGHUP");
    assert.equal((await ended(child)).code, 9);
    const alone = await cli.run("exec", "--as", "web", "--socket", "/nope", "--", "true");
    assert.equal(alone.code, 69);
    assert.match(alone.err, /LAUNCH_AGENT_UNREACHABLE\)\n {2}next: /);
  },
);

test(
  "ledger: the newest, the first, those that come, and all of them verified",
  options,
  async () => {
    const newest = await cli.run("ledger", "log", "--newest", "--limit", "2");
    assert.equal(newest.out.trimEnd().split("\n").length, 2);
    const first = await cli.json("ledger", "log", "--limit", "1");
    assert.equal(first["n"], 1);
    assert.equal(first["kind"], "ledger");
    assert.match(String(first["leafHash"]), /^[0-9a-f]{64}$/);
    // An authority's certificate is among the bytes that lie deeper.
    assert.doesNotMatch((await cli.run("ledger", "log", "--json")).out, /"0":\d/);
    const follow = cli.start(["ledger", "log", "--newest", "--limit", "1", "--follow"]);
    let text = "";
    follow.stdout?.setEncoding("utf8").on("data", (more: string) => (text += more));
    await once(follow.stdout ?? follow, "data");
    await cli.json(...create("/followed"));
    while (text.trimEnd().split("\n").length < 2) await once(follow.stdout ?? follow, "data");
    follow.kill("SIGINT");
    assert.equal((await ended(follow)).code, 0);
    assert.match((await cli.run("ledger", "verify")).out, /^clean: \d+ leaves/);
    assert.equal((await cli.run("ledger", "log", "--newest", "--after", "3")).code, 65);
    const accept = await cli.run("ledger", "accept-rewind");
    assert.equal(accept.code, 1);
    assert.match(accept.err, /LEDGER_NOT_HELD/);
  },
);

test(
  "ledger export: from a server that goes on writing, the verifier in Python and `ledger verify` agree",
  options,
  async () => {
    const stop = new AbortController();
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        const { id } = await cli.json(...create(`/written-${i}`));
        if (i % 2 === 0) await cli.json("entry", "delete", String(id));
      }
    })();
    const file = join(folder, "busy.jsonl");
    for (let i = 0; i < 3; i++) {
      await cli.json("ledger", "export", "--file", file);
      const { faults } = await verdictOf(file);
      assert.deepEqual(faults, []);
    }
    stop.abort();
    await writing;
    const { lines } = await cli.json("ledger", "export", "--file", file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const exported = await cli.run("ledger", "export");
    assert.equal(exported.code, 0);
    assert.equal(exported.out.trimEnd().split("\n").length, lines);
    const verified = await cli.json("ledger", "verify");
    const { root, leaves, faults } = await verdictOf(file);
    assert.deepEqual([verified["clean"], faults], [true, []]);
    assert.equal(leaves, verified["leaves"]);
    assert.match(JSON.stringify(verified["head"]), new RegExp(`"root":"${root}"`));
    const nowhere = await cli.run("ledger", "export", "--file", join(folder, "no", "file"));
    assert.equal(nowhere.code, 73);
  },
);

async function verdictOf(
  file: string,
): Promise<{ readonly root: string; readonly leaves: number; readonly faults: unknown }> {
  const script = join(import.meta.dirname, "../../conformance/ledger-verify/verify_ledger.py");
  const { stdout } = await promisify(execFile)("python3", [script, file]).catch(
    // It ends with 1 when it has found something; what it found says more than that.
    (error: { readonly stdout: string }) => error,
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the script prints
  return JSON.parse(stdout) as { root: string; leaves: number; faults: unknown };
}

test(
  "health: yes is 0; a socket that is nobody's, or somebody else's, is not taken for one",
  options,
  async () => {
    assert.deepEqual(await cli.json("server", "healthcheck"), { healthy: true, held: null });
    assert.deepEqual(await cli.json("agent", "healthcheck"), { healthy: true });
    for (const group of ["server", "agent"]) {
      const none = await cli.run(group, "healthcheck", "--socket", "/etc/passwd");
      assert.equal(none.code, 69);
      assert.match(none.err, /SOCKET_MISSING\)\n {2}next: start one/);
    }
    const other = await cli.run("server", "healthcheck", "--socket", plane.plane.agentAdminSocket);
    assert.notEqual(other.code, 0);
  },
);

test(
  "server run and validate: what is wrong is said before anything is started",
  options,
  async () => {
    const open = join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o755);
    const other = join(folder, "other");
    mkdirSync(other, { mode: 0o700 });
    chownSync(other, 61_500, 61_500);
    const run = (dir: string, ...more: readonly string[]) =>
      cli.run("server", "run", "--trust-domain=example.org", `--data-dir=${dir}`, ...more);
    const here = "--listen=127.0.0.1:0";
    const own = join(folder, "own");
    const cases = [
      [await cli.run("server", "run", "--trust-domain=example.org"), 78, /data_dir is missing/],
      [
        await cli.run("server", "validate", "--trust-domain=A b", "--data-dir=x"),
        78,
        /trust_domain/,
      ],
      [await run(own, here, "--ca-ttl=soon"), 78, /ca_ttl/],
      [await run(own, here, "--ca-ttl=1h"), 78, /ca_ttl: is less than six times/],
      [await run(own, "--listen=127.0.0.1:70000"), 78, /listen/],
      [await run(open, here), 78, /chmod 700/],
      [await run(other, here), 78, /belongs to uid 61500/],
      [await run("/proc/none/x", here), 78, /DATA_DIR_UNSAFE/],
      [
        await run(own, here, `--admin-socket=${folder}/${"x".repeat(120)}/s`),
        78,
        /SOCKET_PATH_TOO_LONG/,
      ],
      [await run(own, `--listen=127.0.0.1:${plane.plane.port}`), 69, /LISTEN_FAILED\)\n {2}next: /],
      [await run(join(plane.folder, "data", "server"), here), 75, /STORE_LOCKED\)\n {2}next: /],
    ] as const;
    for (const [{ code, err }, expected, said] of cases) {
      assert.equal(code, expected, err);
      assert.match(err, said);
    }
  },
);

test("agent list, ban, evict: the agent stops and says why", options, async () => {
  const { agents } = await cli.json("agent", "list");
  assert.ok(Array.isArray(agents) && agents.length === 1);
  const [id = ""] = /spiffe:[^"]+/.exec(JSON.stringify(agents)) ?? [];
  const banned = await cli.run("agent", "ban", "-spiffeID", id);
  assert.equal(banned.out, `banned ${id}\n`);
  assert.match((await cli.run("agent", "list", "-banned")).out, / banned /);
  await plane.plane.ended;
  const log = readFileSync(join(plane.folder, "data", "agent.log"), "utf8");
  const said = log.slice(log.indexOf("bonafide: the agent stopped"));
  assert.match(said, /^bonafide: the agent stopped: \S+ is banned: .* \(agent\.banned\)\n/);
  assert.match(said, /bonafide ledger log says who banned it and when/);
  assert.ok(said.includes(`  next: bonafide agent evict ${id}\n`), said);
  const evicted = await cli.json("agent", "evict", id);
  assert.deepEqual(evicted, { evicted: id });
  assert.equal((await cli.run("agent", "list")).out, "no agents\n");
  const gone = await cli.run("agent", "evict", id);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /AGENT_NOT_FOUND\)\n {2}next: bonafide agent list/);
  assert.equal((await cli.run("agent", "ban")).code, 64);
});
