import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { WorkloadCaller, WorkloadFacts } from "@bonafide/plugin-api";
import { makeWorkloadCaller, workloadAttestorContract } from "@bonafide/plugin-api/testing";
import { launcherAttestor } from "../launcher/launcher-attestor.ts";
import { nsAttestor } from "./ns-attestor.ts";
import { fact, selfAsCaller } from "./testing/self-peer.ts";
import { accountFiles, parseAccounts } from "./unix/account-names.ts";
import { findCgroup2Mount } from "./unix/cgroup2-mount.ts";
import { createUnixAttestor, type UnixAttestorOptions } from "./unix/unix-attestor.ts";

const NAMES = {
  user: (uid: number) => Promise.resolve(uid === 61_001 ? "alice" : undefined),
  group: (gid: number) => Promise.resolve(gid === 61_003 ? "staff" : undefined),
};
const { signal } = new AbortController();

async function unix(
  caller: WorkloadCaller,
  options: UnixAttestorOptions = {},
): Promise<WorkloadFacts> {
  await using attestor = createUnixAttestor({ names: NAMES, wantsSha256: () => false, ...options });
  return await attestor.attest(caller, { signal });
}

function values({ selectors }: WorkloadFacts): readonly string[] {
  return selectors.map(({ value }) => value);
}

function reason({ omitted }: WorkloadFacts, name: string): string | undefined {
  return omitted.find((entry) => entry.fact === name)?.reason;
}

workloadAttestorContract("unix", () => Promise.resolve(createUnixAttestor()), [selfAsCaller()]);
workloadAttestorContract("ns", () => Promise.resolve(nsAttestor()), [selfAsCaller()]);
workloadAttestorContract(
  "launcher",
  () =>
    Promise.resolve(
      launcherAttestor({ find: () => ({ slotId: "s", name: "a/b", launcherUid: 0 }) }),
    ),
  [selfAsCaller()],
);

test("ids are the socket's; names that do not resolve are omitted, numbers stay", async () => {
  const facts = await unix(makeWorkloadCaller());
  assert.deepEqual(values(facts), [
    "uid:61001",
    "user:alice",
    "gid:61002",
    "supplementary_gid:61003",
    "supplementary_group:staff",
    "supplementary_gid:61004",
  ]);
  assert.equal(reason(facts, "unix:group"), "attestor.name_unresolved");
  assert.ok(facts.selectors.every(({ grade }) => grade === "user"));
});

test("a caller of more groups than the bound gets none of them", async () => {
  const groups = Array.from({ length: 101 }, (_, n) => n);
  const facts = await unix(makeWorkloadCaller({ groups }));
  assert.ok(values(facts).every((value) => !value.startsWith("supplementary")));
  assert.equal(reason(facts, "unix:supplementary_gid"), "attestor.too_large");
});

test("account files give the first name of a number and follow a change", async (t) => {
  const folder = mkdtempSync("/tmp/bf-");
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const passwdPath = join(folder, "passwd");
  writeFileSync(passwdPath, "#x:x:1\n:x:1\nbad\na:x:1:1\nb:x:1:1\nc:x:-1\nd:x:1e1\n");
  const names = accountFiles({ passwdPath, groupPath: join(folder, "none") });
  assert.equal(await names.user(1, { signal }), "a");
  assert.equal(await names.group(1, { signal }), undefined);
  writeFileSync(`${passwdPath}.next`, "longer:x:1:1\n");
  renameSync(`${passwdPath}.next`, passwdPath);
  assert.equal(await names.user(1, { signal }), "longer");
  assert.equal(parseAccounts("").size, 0);
});

test("path and digest are those of the executable, and labels", async () => {
  const facts = await unix(selfAsCaller(), { wantsSha256: () => true });
  const hex = createHash("sha256").update(readFileSync(process.execPath)).digest("hex");
  const labels = facts.selectors.filter(({ grade }) => grade === "label");
  assert.deepEqual(
    labels.map(({ value }) => value),
    [`path:${process.execPath}`, `sha256:${hex}`],
  );
});

test("path and digest are omitted when off, unwanted, unreadable, or of another namespace", async () => {
  const self = selfAsCaller();
  const other = fact("mnt:[1]");
  const foreign = { ...self.facts, namespaces: { ...self.facts.namespaces, mnt: other } };
  const cases = [
    [self, { path: false }, "attestor.selector_disabled", "attestor.selector_disabled"],
    [self, {}, undefined, "attestor.not_wanted"],
    [makeWorkloadCaller(), {}, "attestor.not_readable", "attestor.not_readable"],
    [
      selfAsCaller({ facts: foreign }),
      {},
      "attestor.foreign_namespace",
      "attestor.foreign_namespace",
    ],
  ] as const;
  for (const [caller, options, path, sha256] of cases) {
    const facts = await unix(caller, options);
    assert.equal(reason(facts, "unix:path"), path);
    assert.equal(reason(facts, "unix:sha256"), sha256);
  }
});

test("a replaced binary has no path; a file that is called so has", async (t) => {
  const folder = mkdtempSync("/tmp/bf-");
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const self = selfAsCaller();
  const named = join(folder, "x (deleted)");
  writeFileSync(named, "");
  const at = (link: string, exe: string): WorkloadCaller =>
    selfAsCaller({
      facts: { ...self.facts, executableLink: fact(link) },
      procPath: () => exe,
    });
  assert.ok(values(await unix(at(named, named))).includes(`path:${named}`));
  const replaced = await unix(at(`${process.execPath} (deleted)`, named));
  assert.equal(reason(replaced, "unix:path"), "attestor.binary_replaced");
  const foreign = await unix(at("/\xff", named));
  assert.equal(reason(foreign, "unix:path"), "attestor.unsupported");
});

test("ns says host for the agent's own, other for another, nothing for unreadable", async () => {
  const self = selfAsCaller();
  const own = await nsAttestor().attest(self, { signal });
  assert.deepEqual(
    own.selectors.map(({ value, grade }) => [value, grade]),
    ["user:host", "pid:host", "mnt:host"].map((value) => [value, "boundary"]),
  );
  const namespaces = { ...self.facts.namespaces, user: fact("user:[1]") };
  const left = await nsAttestor().attest(selfAsCaller({ facts: { ...self.facts, namespaces } }), {
    signal,
  });
  assert.deepEqual(left.selectors[0]?.value, "user:other");
  assert.deepEqual(left.selectors[0].grade, "label");
  const closed = await nsAttestor().attest(makeWorkloadCaller(), { signal });
  assert.deepEqual(closed.selectors, []);
  assert.equal(reason(closed, "ns:mnt"), "attestor.not_readable");
});

function line(root: string, point: string, type: string): string {
  return `41 31 0:38 ${root} ${point} rw,relatime shared:1 - ${type} cgroup rw`;
}

test("the cgroup v2 tree is found by its type, with its escapes, and only when it is whole", () => {
  const v1 = line("/", "/sys/fs/cgroup/cpu", "cgroup");
  assert.equal(findCgroup2Mount(`${v1}\n${line("/", "/a\\040b", "cgroup2")}\n`), "/a b");
  assert.equal(findCgroup2Mount(`${v1}\n${line("/x", "/a", "cgroup2")}\n`), undefined);
  assert.equal(findCgroup2Mount(""), undefined);
});

test("a cgroup gives nothing for root, for the root cgroup, or outside of the namespace", async () => {
  const self = selfAsCaller();
  const at = (path: string, uid = 61_001): WorkloadCaller =>
    selfAsCaller({ uid, facts: { ...self.facts, cgroupPath: fact(path) } });
  const cgroupMount = "/nowhere";
  const cases = [
    [at("/a", 0), "attestor.caller_is_root"],
    [at("/"), "attestor.not_locked"],
    [at("/../a"), "attestor.foreign_namespace"],
    [at("/a"), "attestor.not_readable"],
    [at("/a".repeat(17)), "attestor.too_large"],
    [makeWorkloadCaller(), "attestor.not_readable"],
  ] as const;
  for (const [caller, why] of cases) {
    assert.equal(reason(await unix(caller, { cgroupMount }), "unix:cgroup"), why);
  }
  const none = await unix(at("/a"), { cgroupMount: "" });
  assert.equal(reason(none, "unix:cgroup"), "attestor.unsupported");
});

test("a cgroup counts down to its lock point", async (t) => {
  if (process.geteuid?.() !== 0) {
    t.skip("needs root, to make folders of two owners");
    return;
  }
  const mount = mkdtempSync("/tmp/bf-");
  t.after(() => {
    rmSync(mount, { recursive: true });
  });
  const { chmodSync, chownSync, lstatSync, mkdirSync } = await import("node:fs");
  const make = (path: string, uid: number): void => {
    mkdirSync(join(mount, path));
    for (const name of ["cgroup.procs", "cgroup.threads"])
      writeFileSync(join(mount, path, name), "");
    chownSync(join(mount, path, "cgroup.procs"), uid, 0);
  };
  make("s.slice", 0);
  make("s.slice/\u0001x", 0);
  make("s.slice/\u0001x/own", 61_001);
  const self = selfAsCaller();
  const at = (path: string, cgroupId?: bigint): WorkloadCaller =>
    selfAsCaller({ cgroupId, facts: { ...self.facts, cgroupPath: fact(path) } });
  const cgroups = async (caller: WorkloadCaller): Promise<readonly string[]> => {
    const facts = await unix(caller, { cgroupMount: mount });
    const found = facts.selectors.filter(({ value }) => value.startsWith("cgroup:"));
    assert.ok(found.every(({ grade }) => grade === "boundary"));
    return found.map(({ value }) => value.slice("cgroup:".length));
  };
  const locked = ["/s.slice", "/s.slice/\\x01x"];
  assert.deepEqual(await cgroups(at("/s.slice/\u0001x")), locked);
  assert.deepEqual(await cgroups(at("/s.slice/\u0001x/own")), locked);
  const { ino } = lstatSync(join(mount, "s.slice"), { bigint: true });
  assert.deepEqual(await cgroups(at("/s.slice", ino)), ["/s.slice"]);
  assert.deepEqual(await cgroups(at("/s.slice", ino + 1n)), []);
  chmodSync(join(mount, "s.slice", "cgroup.threads"), 0o666);
  assert.deepEqual(await cgroups(at("/s.slice")), []);
});
