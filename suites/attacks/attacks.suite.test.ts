import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import {
  AttackBench,
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

const skip = whyNotHere() ?? false;
const PERL = "/usr/bin/perl";
const SLEEP = "/usr/bin/sleep";

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

for (const { name, missing } of MODES) {
  suite(`attacks on the socket, ${name}`, () => {
    test(
      "attack 1: a connection kept by a child makes path and digest those of the genuine program",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        bench.attack("c; if (fork) { exec @ARGV } else { sleep 1000 }", { args: [SLEEP, "1000"] });
        const seen = await bench.seenAs(
          await bench.connected(),
          ({ executable }) => executable !== PERL,
        );
        assert.equal(seen.pin, missing.includes("SO_PEERPIDFD") ? "proven" : "pidfd");
        assert.deepEqual(valuesOf(seen, "unix:path"), [SLEEP]);
        assert.deepEqual(valuesOf(seen, "unix:sha256"), [digestOf(SLEEP)]);
        assert.deepEqual(valuesOf(seen, "unix:uid"), [String(ATTACKER)]);
        for (const kind of ["unix:path", "unix:sha256", "unix:uid", "unix:gid"]) {
          assertGrade(seen, kind);
        }
      },
    );

    for (const [bit, id] of [
      [0o4755, "setuid"],
      [0o2755, "setgid"],
    ] as const) {
      test(
        `attacks 2, 3: a caller that became a ${id} program is refused`,
        { skip, timeout: MS_MAX },
        async () => {
          await using bench = await AttackBench.open(missing);
          const program = join(bench.folder, "program");
          copyFileSync(SLEEP, program);
          chownSync(program, 0, 42);
          chmodSync(program, bit);
          bench.attack("c; if (fork) { exec @ARGV } else { sleep 1000 }", {
            args: [program, "1000"],
          });
          const connection = await bench.connected();
          const refusal = async (): Promise<unknown> => {
            try {
              await bench.attestation.observe(connection.caller());
              return undefined;
            } catch (error) {
              return error;
            }
          };
          let refused = await refusal();
          while (refused === undefined) refused = await refusal();
          assert.ok(refused instanceof Error);
          assert.equal(Reflect.get(refused, "code"), "PEER_IDS_CHANGED");
          assert.match(String(Reflect.get(refused, "details")?.cause), /caller\.ids_changed/);
        },
      );
    }

    test(
      "attack 4: a genuine interpreter runs foreign code by its environment",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        const foreign = `use Socket; socket(S,AF_UNIX,SOCK_STREAM,0); connect(S,sockaddr_un("${bench.path}")); sleep 1000; 1;`;
        writeFileSync(join(bench.folder, "Foreign.pm"), foreign, { mode: 0o644 });
        // What it was told to run is harmless and never runs.
        bench.attack("exit", { env: { PERL5LIB: bench.folder, PERL5OPT: "-MForeign" } });
        const seen = await bench.seenAs(await bench.connected());
        assert.deepEqual(valuesOf(seen, "unix:path"), [PERL]);
        assert.deepEqual(valuesOf(seen, "unix:sha256"), [digestOf(PERL)]);
        assertGrade(seen, "unix:path");
        assertGrade(seen, "unix:sha256");
      },
    );

    test(
      "attack 5: a file laid over a genuine path gives no path, and the namespace shows",
      { skip, timeout: MS_MAX },
      async (t) => {
        await using bench = await AttackBench.open(missing);
        const probe = said(ATTACKER, 'exec "unshare", "-Urm", "true"');
        if (probe !== "") {
          t.skip(`unprivileged user namespaces are off: ${probe}`);
          return;
        }
        // Perl laid over sleep, in a mount namespace of its own: the kernel names the genuine path.
        const lay = `mount --bind ${PERL} ${SLEEP} && shift && exec ${SLEEP} "$@"`;
        bench.attack("c; sleep 1000", { wrapper: ["unshare", "-Urm", "sh", "-c", lay, "sh"] });
        const seen = await bench.seenAs(await bench.connected());
        assert.equal(seen.executable, SLEEP);
        assert.deepEqual(valuesOf(seen, "unix:path"), []);
        assert.equal(omission(seen, "unix:path"), "attestor.foreign_namespace");
        assert.equal(omission(seen, "unix:sha256"), "attestor.foreign_namespace");
        for (const kind of ["ns:user:other", "ns:mnt:other", "ns:pid:host"])
          assertGrade(seen, kind);
        assert.deepEqual(valuesOf(seen, "unix:uid"), [String(ATTACKER)]);
      },
    );

    test("attack 7: a title that lies changes nothing", { skip, timeout: MS_MAX }, async () => {
      await using bench = await AttackBench.open(missing);
      const child = bench.attack(
        'c; $|=1; <STDIN>; $0="trusted-server"; print "named\\n"; sleep 1000',
      );
      const connection = await bench.connected();
      const before = await bench.seenAs(connection);
      child.stdin?.write("\n");
      assert.ok(child.stdout);
      await once(child.stdout, "data");
      assert.match(readFileSync(`/proc/${child.pid}/cmdline`, "latin1"), /^trusted-server/);
      const after = await bench.attestation.reobserve(connection.caller(), before);
      assert.equal(after.kind, "same");
    });

    test("attack 15: a user namespace hides no uid", { skip, timeout: MS_MAX }, async (t) => {
      await using bench = await AttackBench.open(missing);
      if (said(ATTACKER, 'exec "unshare", "-U", "true"') !== "") {
        t.skip("unprivileged user namespaces are off");
        return;
      }
      bench.attack("c; sleep 1000", { wrapper: ["unshare", "-Ur"] });
      const seen = await bench.seenAs(await bench.connected());
      assert.deepEqual(valuesOf(seen, "unix:uid"), [String(ATTACKER)]);
      assertGrade(seen, "ns:user:other");
      assertGrade(seen, "unix:uid");
    });

    test(
      "attack 15b: a caller in a pid namespace of its own has our number, not its own",
      { skip, timeout: MS_MAX },
      async (t) => {
        await using bench = await AttackBench.open(missing);
        if (said(ATTACKER, 'exec "unshare", "-Upfr", "true"') !== "") {
          t.skip("unprivileged user namespaces are off");
          return;
        }
        bench.attack("c; sleep 1000", { wrapper: ["unshare", "-Upfr"] });
        const seen = await bench.seenAs(await bench.connected());
        assert.ok(seen.pid > 1);
        assertGrade(seen, "ns:pid:other");
      },
    );

    test(
      "another user is another uid, whatever it is called or runs",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        bench.attack('$0="x"; c; sleep 1000', { uid: OTHER });
        const seen = await bench.seenAs(await bench.connected());
        assert.deepEqual(valuesOf(seen, "unix:uid"), [String(OTHER)]);
        assert.deepEqual(valuesOf(seen, "unix:gid"), [String(OTHER)]);
        assert.deepEqual(valuesOf(seen, "unix:supplementary_gid"), []);
        for (const kind of ["ns:user:host", "ns:pid:host", "ns:mnt:host"]) assertGrade(seen, kind);
      },
    );

    test("a caller that ended leaves its number to nobody", { skip, timeout: MS_MAX }, async () => {
      await using bench = await AttackBench.open(missing);
      // The child keeps the connection open; the process that connected is gone and reaped.
      const child = bench.attack("c; exit if fork; sleep 1000");
      // Before anything is awaited: its end may be heard of before its connection is.
      const exit = once(child, "exit");
      const connection = await bench.connected();
      await exit;
      // Also where it was accepted while it was exiting, and no longer shows that it holds the connection.
      await assert.rejects(async () => bench.attestation.observe(connection.caller()), {
        code: "PEER_GONE",
      });
    });
  });
}
