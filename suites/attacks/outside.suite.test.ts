import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
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
  said,
  valuesOf,
  whyNotHere,
} from "./attack-bench.ts";
import { assertGrade } from "./printed-grades.ts";

const AGENT = fileURLToPath(new URL("refusing-agent.ts", import.meta.url));
const UNSHARE = "/usr/bin/unshare";
const NOBODY = 65_534;

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
      "attack 14b: a caller that is nobody, or of nogroup, is refused, since anybody unknown looks like it",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        for (const [uid, gid] of [
          [NOBODY, NOBODY],
          [NOBODY, ATTACKER],
          [ATTACKER, NOBODY],
        ] as const) {
          bench.attack("c; sleep 1000", { uid, gid });
          const connection = await bench.connected();
          assert.throws(() => connection.caller(), {
            code: "PEER_ID_UNMAPPED",
            details: {
              cause: "caller.id_unmapped",
              uid: String(uid),
              gid: String(gid),
              allMapped: "true",
            },
          });
        }
      },
    );

    test(
      "a supplementary group that stands for any is no selector",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        const become = `$) = "${ATTACKER} ${OTHER} ${NOBODY}"; $( = ${ATTACKER}; $< = $> = ${ATTACKER};`;
        bench.attack(`${become} c; sleep 1000`, { uid: 0 });
        const seen = await bench.seenAs(await bench.connected());
        assert.deepEqual(valuesOf(seen, "unix:uid"), [String(ATTACKER)]);
        assert.deepEqual(valuesOf(seen, "unix:supplementary_gid"), [String(OTHER)]);
        assert.equal(omission(seen, "unix:supplementary_gid"), "attestor.not_readable");
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

/**
 * A procfs of its own, in a pid namespace of its own, that shows nobody else's processes; then an agent that may not see
 * through it, and a caller of another user beside it. The machine's own procfs stays as it is.
 */
const HIDDEN = `mount -t proc -o hidepid=2 proc /proc || exit
/usr/bin/perl -e "$0" "$1" & shift
exec setpriv --regid=${OTHER} --clear-groups --bounding-set=-sys_ptrace "$@"`;

/** Becomes the attacker and calls as soon as somebody listens. */
const LATE_CALLER = `use Socket; $) = "${ATTACKER} ${ATTACKER}"; $( = ${ATTACKER}; $< = $> = ${ATTACKER};
for (;;) {
  socket(S,AF_UNIX,SOCK_STREAM,0) or die;
  last if connect(S,sockaddr_un($ARGV[0]));
  select(undef,undef,undef,0.02);
}
sleep 1000`;

function whyNotHidden(): string | undefined {
  const here = whyNoNamespaces();
  if (here !== undefined) return here;
  const probe = "mount -t proc -o hidepid=2 proc /proc && setpriv --bounding-set=-sys_ptrace true";
  const { status } = spawnSync(UNSHARE, ["-fpm", "sh", "-c", probe], { stdio: "ignore" });
  return status === 0 ? undefined : "needs a procfs of its own, and setpriv";
}

/** What an older kernel does not tell, and a hidden procfs does not either. */
const HIDDEN_REFUSALS = {
  SO_PEERPIDFD: "PEER_NOT_PINNED caller.not_pinned",
  PIDFD_GET_INFO: "PEER_NOT_PINNED caller.ids_unreadable",
  UNIX_DIAG: undefined,
} as const;

const notHidden = whyNotHidden() ?? false;
for (const { name, missing } of MODES) {
  test(
    `attack 16: a procfs that hides others leaves an agent what the socket says, ${name}`,
    { skip: notHidden, timeout: MS_MAX },
    async () => {
      const folder = mkdtempSync("/tmp/bf-");
      chmodSync(folder, 0o755);
      const socket = join(folder, "o/s");
      const agent = spawn(
        UNSHARE,
        ["-fpm", "--kill-child", "sh", "-c", HIDDEN, LATE_CALLER, socket].concat([
          process.execPath,
          AGENT,
          socket,
          ...missing,
        ]),
        { stdio: ["ignore", "pipe", "inherit"], detached: true },
      );
      try {
        const lines = createInterface(agent.stdout)[Symbol.asyncIterator]();
        assert.deepEqual(await lines.next(), { done: false, value: "listening" });
        const { value } = await lines.next();
        const [outcome, ...seen] = String(value).split(" ");
        const refusal = missing.map((call) => HIDDEN_REFUSALS[call])[0];
        if (refusal !== undefined) assert.equal(value, refusal);
        else {
          assert.equal(outcome, "seen");
          assert.ok(seen.includes(`unix:uid:${ATTACKER}`), String(value));
          assert.ok(seen.includes(`unix:gid:${ATTACKER}`), String(value));
          for (const fact of ["unix:path", "unix:sha256", "unix:cgroup", "ns:mnt", "ns:user"]) {
            assert.ok(
              seen.includes(`${fact}=attestor.not_readable`),
              `${fact} in ${String(value)}`,
            );
          }
        }
        assert.equal(said(ATTACKER, 'print -e "/proc/1" ? "seen" : "hidden"'), "seen");
      } finally {
        await endGroup(agent);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
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
