import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { suite, test } from "node:test";
import { UnixPeer } from "@bonafide/unix-peer";
import {
  AttackBench,
  ATTACKER,
  MODES,
  MS_MAX,
  said,
  valuesOf,
  whyNotHere,
} from "./attack-bench.ts";
import { assertGrade } from "./printed-grades.ts";

const skip = whyNotHere() ?? false;

/** Gives a started process a name, as its launcher, this process. */
async function launched(bench: AttackBench, pid: number, name: string): Promise<Uint8Array> {
  using self = UnixPeer.ofProcess(bench.kernel, process.pid);
  const slot = bench.slots.slot(self, name);
  const { value } = await slot.next();
  assert.ok(value?.kind === "opened");
  using child = UnixPeer.ofProcess(bench.kernel, pid);
  await bench.slots.redeem(child, value.nonce);
  return value.nonce;
}

for (const { name, missing } of MODES) {
  suite(`attacks on names, ${name}`, () => {
    test(
      "attack 12: a session is entered by birth only, and left by setsid",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        const child = bench.attack(
          "<STDIN>; if (!fork) { c; sleep 1000 } if (!fork) { setsid; c; sleep 1000 } sleep 1000",
        );
        assert.ok(child.pid !== undefined);
        await launched(bench, child.pid, "demo/greeter");
        child.stdin?.write("\n");
        const named: string[] = [];
        for (let n = 0; n < 2; n++) {
          const connection = await bench.connected();
          const seen = await bench.seenAs(connection);
          named.push(valuesOf(seen, "launcher:name").join());
          if (valuesOf(seen, "launcher:name").length > 0) {
            assertGrade(seen, "launcher:name from another uid");
            assertGrade(seen, "launcher:uid from another uid");
            assert.deepEqual(valuesOf(seen, "launcher:uid"), ["0"]);
          } else process.kill(connection.caller().pid, "SIGKILL");
        }
        assert.deepEqual(new Set(named), new Set(["demo/greeter", ""]));

        const enter = 'setpgid(0,$ARGV[0]); print "$!"';
        assert.match(said(ATTACKER, enter, String(child.pid)), /not permitted/);
        bench.attack("c; sleep 1000");
        const outsider = await bench.seenAs(await bench.connected());
        assert.deepEqual(valuesOf(outsider, "launcher:name"), []);
      },
    );

    test("a name given by one's own uid is a label", { skip, timeout: MS_MAX }, async () => {
      await using bench = await AttackBench.open(missing);
      const child = bench.attack("<STDIN>; c; sleep 1000", { uid: 0 });
      assert.ok(child.pid !== undefined);
      await launched(bench, child.pid, "demo/greeter");
      child.stdin?.write("\n");
      const seen = await bench.seenAs(await bench.connected());
      assertGrade(seen, "launcher:name");
      assertGrade(seen, "launcher:uid");
    });

    test(
      "attack 6: the nonce is in no environment and no argument",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        const child = bench.attack("<STDIN>; c; sleep 1000");
        assert.ok(child.pid !== undefined);
        const nonce = await launched(bench, child.pid, "a");
        // Another process of the same uid reads all of it; that is why.
        const read = 'open(F,"<","/proc/$ARGV[0]/environ") and print <F> or print "$!"';
        assert.match(said(ATTACKER, read, String(child.pid)), /PATH=/);
        for (const file of ["environ", "cmdline"]) {
          const bytes: Buffer = readFileSync(`/proc/${child.pid}/${file}`);
          assert.equal(bytes.indexOf(nonce), -1);
          assert.equal(bytes.includes(Buffer.from(nonce).toString("hex")), false);
        }
      },
    );

    test(
      "a nonce is worth nothing to a process of another parent",
      { skip, timeout: MS_MAX },
      async () => {
        await using bench = await AttackBench.open(missing);
        using self = UnixPeer.ofProcess(bench.kernel, process.pid);
        const slot = bench.slots.slot(self, "a");
        const { value } = await slot.next();
        assert.ok(value?.kind === "opened");
        // A grandchild of ours: its parent is not the launcher.
        bench.attack("if (!fork) { setsid; c; sleep 1000 } sleep 1000");
        const thief = (await bench.connected()).caller();
        await assert.rejects(bench.slots.redeem(thief, value.nonce), {
          code: "SLOT_REDEEMER_UNFIT",
        });
        await assert.rejects(bench.slots.redeem(thief, value.nonce), { code: "SLOT_UNKNOWN" });
        process.kill(thief.pid, "SIGKILL");
      },
    );
  });
}
