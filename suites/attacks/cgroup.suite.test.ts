import assert from "node:assert/strict";
import { chownSync, lstatSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite, test } from "node:test";
import {
  AttackBench,
  ATTACKER,
  MODES,
  MS_MAX,
  omission,
  said,
  valuesOf,
  whyNotHere,
} from "./attack-bench.ts";
import { assertGrade } from "./printed-grades.ts";

const mount = /^\S+ \S+ \S+ \/ (\S+) .* - cgroup2 /m.exec(
  readFileSync("/proc/self/mountinfo", "latin1"),
)?.[1];

/** Child cgroups of our own, removed again. */
class Cgroups implements Disposable {
  readonly #made: string[] = [];
  readonly root = `bonafide-${process.pid}`;

  make(path: string): string {
    const folder = join(mount ?? "", path);
    mkdirSync(folder);
    this.#made.unshift(folder);
    return folder;
  }

  [Symbol.dispose](): void {
    for (const folder of this.#made) rmdirSync(folder);
  }
}

function whyNoCgroups(): string | undefined {
  const here = whyNotHere();
  if (here !== undefined) return here;
  if (mount === undefined) return "needs a cgroup v2 tree";
  try {
    using cgroups = new Cgroups();
    cgroups.make(`${cgroups.root}-probe`);
    return undefined;
  } catch {
    return "needs a cgroup v2 tree that root may write";
  }
}

const skip = whyNoCgroups() ?? false;

for (const { name, missing } of MODES) {
  suite(`attacks on cgroups, ${name}`, () => {
    test(
      "attacks 9, 10: a locked cgroup holds, a delegated part counts for nothing",
      { skip, timeout: MS_MAX },
      async () => {
        using cgroups = new Cgroups();
        const { root } = cgroups;
        const folder = cgroups.make(root);
        const locked = cgroups.make(`${root}/locked`);
        const own = cgroups.make(`${root}/locked/own`);
        const forged = cgroups.make(`${root}/locked/own/system.slice`);
        for (const path of [own, forged]) {
          chownSync(path, ATTACKER, ATTACKER);
          for (const file of ["cgroup.procs", "cgroup.threads"]) {
            chownSync(join(path, file), ATTACKER, ATTACKER);
          }
        }
        {
          await using bench = await AttackBench.open(missing);
          const child = bench.attack("c; sleep 1000");
          const connection = await bench.connected();
          const pid = String(child.pid);

          const outside = await bench.seenAs(connection);
          assert.deepEqual(valuesOf(outside, "unix:cgroup"), []);
          const enter =
            'open(F,">",$ARGV[0]) and syswrite(F,$ARGV[1]) and print "in" or print "$!"';
          assert.match(
            said(ATTACKER, enter, join(locked, "cgroup.procs"), pid),
            /Permission denied/,
          );

          writeFileSync(join(locked, "cgroup.procs"), pid);
          const inside = await bench.seenAs(connection);
          assert.deepEqual(valuesOf(inside, "unix:cgroup"), [`/${root}`, `/${root}/locked`]);
          assertGrade(inside, "unix:cgroup");
          assert.match(
            said(ATTACKER, enter, join(folder, "cgroup.procs"), pid),
            /Permission denied/,
          );

          // What lies below is the caller's own words; of the locked part it stays a member.
          writeFileSync(join(own, "cgroup.procs"), pid);
          assert.equal(said(ATTACKER, enter, join(forged, "cgroup.procs"), pid), "in");
          const below = await bench.seenAs(connection);
          assert.deepEqual(valuesOf(below, "unix:cgroup"), [`/${root}`, `/${root}/locked`]);

          const moved = await bench.attestation.reobserve(connection.caller(), outside);
          assert.equal(moved.kind, "changed");
        }
        await emptied(cgroups.root);
      },
    );

    test(
      "attack 11: a cgroup namespace of one's own makes no cgroup",
      { skip, timeout: MS_MAX },
      async (t) => {
        await using bench = await AttackBench.open(missing);
        const script = 'mkdir "$0/bonafide-forged"';
        const tried = said(
          ATTACKER,
          'exec "unshare", "-UrmC", "sh", "-c", "mount -t cgroup2 none /mnt && mkdir /mnt/bonafide-forged"',
        );
        assert.notEqual(tried, "", script);
        assert.equal(
          lstatSync(join(mount ?? "", "bonafide-forged"), { throwIfNoEntry: false }),
          undefined,
        );
        bench.attack("c; sleep 1000", { wrapper: ["unshare", "-UrC"] });
        const seen = await bench.seenAs(await bench.connected());
        assert.deepEqual(valuesOf(seen, "unix:cgroup"), []);
        t.diagnostic(tried);
      },
    );

    test(
      "root goes into any cgroup, so that its cgroup says nothing",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        bench.attack("c; sleep 1000", { uid: 0 });
        const seen = await bench.seenAs(await bench.connected());
        assert.deepEqual(valuesOf(seen, "unix:cgroup"), []);
        assert.equal(omission(seen, "unix:cgroup"), "attestor.caller_is_root");
      },
    );
  });
}

/** The kernel takes a moment to take the last process out of a cgroup after it was reaped. */
async function emptied(root: string): Promise<void> {
  const events = join(mount ?? "", root, "cgroup.events");
  while (!readFileSync(events, "latin1").includes("populated 0")) await new Promise(setImmediate);
}
