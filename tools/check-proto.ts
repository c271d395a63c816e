import { execFileSync, spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import process from "node:process";
import { reportCheck } from "./report.ts";

// buf lint over all protos, and buf breaking against what main holds.

const FOLDER = "packages/proto";
const problems: string[] = [];
const protos = globSync(`${FOLDER}/{proto,wire}/**/*.proto`).length;
if (protos > 0) {
  run("lint", ["lint"]);
  const base = ["origin/main", "main"].find((ref) => holdsProtos(ref));
  if (base === undefined) process.stdout.write("proto: no main to compare with, lint only\n");
  else {
    // buf wants a branch name of its own clone; a commit works for local and remote-tracking refs alike.
    const commit = execFileSync("git", ["rev-parse", base], { encoding: "utf8" }).trim();
    run("breaking", ["breaking", "--against", `.git#ref=${commit}`]);
  }
}
reportCheck("proto", { files: protos }, problems);

function run(what: string, args: readonly string[]): void {
  const done = spawnSync("buf", [...args], { encoding: "utf8" });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) problems.push(`buf ${what}:\n${done.stdout}${done.stderr}`);
}

function holdsProtos(ref: string): boolean {
  const listed = spawnSync("git", ["ls-tree", "-r", "--name-only", ref, "--", FOLDER], {
    encoding: "utf8",
  });
  return listed.status === 0 && listed.stdout.includes(".proto");
}
