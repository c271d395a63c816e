import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFolder, readAndCheck } from "./open-folder.ts";
import { readFiles, readLines, readText } from "./read-files.ts";

const top = mkdtempSync("/tmp/bf-folder-");
after(() => rmSync(top, { recursive: true, force: true }));

function folder(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(top, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, file, ".."), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

const ORG = "trustDomain: example.org\nowners: [a]\nteams: {}\n";

test("a folder with findings answers nothing, one without is opened", async () => {
  const good = folder("good", { "org.yaml": ORG });
  assert.equal((await openFolder(good)).model.trustDomain, "example.org");
  const bad = folder("bad", { "org.yaml": ORG, "guardrails/x.cedar": "permit (" });
  const { findings } = await readAndCheck(bad);
  assert.deepEqual(
    findings.map(({ file, line, rule }) => `${file}:${line} ${rule}`),
    ["guardrails/x.cedar:1 syntax"],
  );
  await assert.rejects(openFolder(bad), { code: "AUTHZ_FOLDER_REFUSED" });
});

test("hidden files and what lies beside a model are no part of it, all else is", () => {
  const path = folder("mixed", {
    "org.yaml": ORG,
    ".git/config": "x",
    "README.md": "x",
    CODEOWNERS: "x",
    "teams/a/README.md": "x",
    "teams/a/team.yaml": "x",
  });
  assert.deepEqual([...readFiles(path).keys()].toSorted(), [
    "org.yaml",
    "teams/a/README.md",
    "teams/a/team.yaml",
  ]);
});

test("no folder, no file and links are refused", () => {
  const path = folder("linked", { "org.yaml": ORG });
  symlinkSync("/etc/passwd", join(path, "people.yaml"));
  const refused = { code: "FILE_UNREADABLE" };
  assert.throws(() => readFiles(path), refused);
  assert.throws(() => readFiles(join(top, "none")), refused);
  assert.throws(() => readText(join(top, "none")), refused);
  assert.throws(() => [...readLines(join(top, "none"))], refused);
});

test("lines are read whole, whatever a chunk holds", () => {
  const lines = Array.from({ length: 5000 }, (_, n) => `${n} ${"ü".repeat(n % 97)}`);
  const path = join(folder("log", { "a.jsonl": lines.join("\n") }), "a.jsonl");
  assert.deepEqual([...readLines(path)], lines);
});
