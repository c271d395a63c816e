import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  AttackBench,
  endGroup,
  ATTACKER,
  MODES,
  MS_MAX,
  omission,
  OTHER,
  valuesOf,
  whyNotHere,
} from "./attack-bench.ts";
import { assertGrade } from "./printed-grades.ts";

const AGENT = fileURLToPath(new URL("refusing-agent.ts", import.meta.url));
const UNSHARE = "/usr/bin/unshare";

function whyNoNamespaces(): string | undefined {
  const here = whyNotHere();
  if (here !== undefined) return here;
  const { status } = spawnSync(UNSHARE, ["-fp", "true"], { stdio: "ignore" });
  return status === 0 ? undefined : "needs namespaces";
}

/** Starts an agent's listener in namespaces of its own and gives what it says of the first caller. */
async function saidOf(wrapper: readonly string[], missing: readonly string[]): Promise<string> {
  const folder = mkdtempSync("/tmp/bf-");
  const children: ChildProcess[] = [];
  try {
    const [program = "", ...args] = wrapper;
    const agent = spawn(
      program,
      [...args, process.execPath, AGENT, join(folder, "o/s"), ...missing],
      {
        stdio: ["ignore", "pipe", "inherit"],
        detached: true,
      },
    );
    children.push(agent);
    const lines = createInterface(agent.stdout);
    assert.deepEqual(await once(lines, "line"), ["listening"]);
    spawnSync("chmod", ["755", folder]);
    const script = `use Socket; socket(S,AF_UNIX,SOCK_STREAM,0); connect(S,sockaddr_un($ARGV[0])) or die $!; sleep 1000`;
    const caller = spawn("/usr/bin/perl", ["-e", script, join(folder, "o/s")], {
      uid: ATTACKER,
      gid: ATTACKER,
      cwd: "/",
      stdio: "ignore",
      detached: true,
    });
    children.push(caller);
    const [line]: unknown[] = await once(lines, "line");
    return String(line);
  } finally {
    for (const child of children) await endGroup(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

const skip = whyNoNamespaces() ?? false;
for (const { name, missing } of MODES) {
  suite(`agents that cannot see, ${name}`, () => {
    test(
      "attack 13: an agent in a pid namespace of its own refuses, and says so",
      { skip, timeout: MS_MAX },
      async () => {
        const line = await saidOf([UNSHARE, "-fp", "--kill-child"], missing);
        assert.equal(line, "PEER_OUTSIDE_PID_NAMESPACE caller.outside_pid_namespace");
      },
    );

    test(
      "attack 14: an agent in a user namespace refuses ids that stand for any",
      { skip, timeout: MS_MAX },
      async () => {
        const line = await saidOf([UNSHARE, "-U", "--map-root-user"], missing);
        assert.equal(line, "PEER_ID_UNMAPPED caller.id_unmapped");
      },
    );

    test(
      "attack 17: an agent that is not root omits what another uid hides",
      { skip, timeout: MS_MAX },
      async (t) => {
        await using bench = await AttackBench.open(missing);
        bench.attack("c; sleep 1000");
        const connection = await bench.connected();
        const { seteuid } = process;
        if (seteuid === undefined) {
          t.skip("this Node cannot change its user");
          return;
        }
        seteuid(OTHER);
        try {
          const seen = await bench.seenAs(connection);
          assert.deepEqual(valuesOf(seen, "unix:uid"), [String(ATTACKER)]);
          assertGrade(seen, "unix:uid");
          for (const fact of ["unix:path", "unix:sha256", "ns:mnt", "ns:user", "ns:pid"]) {
            assert.equal(omission(seen, fact), "attestor.not_readable", fact);
          }
        } finally {
          seteuid(0);
        }
      },
    );
  });
}

suite("agents that are not root, before SO_PEERPIDFD", () => {
  test(
    "a caller of another uid cannot be proven: refused, or worth a label",
    { skip, timeout: MS_MAX },
    async () => {
      for (const requirePinnedPeer of [true, false]) {
        await using bench = await AttackBench.open(["SO_PEERPIDFD", "UNIX_DIAG"], {
          requirePinnedPeer,
        });
        bench.attack("c; sleep 1000");
        const connection = await bench.connected();
        if (requirePinnedPeer) {
          assert.throws(() => connection.caller(), { code: "PEER_NOT_PINNED" });
          continue;
        }
        const seen = await bench.seenAs(connection);
        assert.equal(seen.pin, "unpinned");
        assert.ok(seen.selectors.length > 0);
        assert.ok(seen.selectors.every(({ grade }) => grade === "label"));
      }
    },
  );
});
