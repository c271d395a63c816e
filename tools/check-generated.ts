import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const folder = "packages/proto/src/gen";
const fresh = mkdtempSync(join(tmpdir(), "bonafide-gen-"));
try {
  execFileSync("buf", ["generate", "--output", fresh], { stdio: "inherit" });
  const expected = globSync("**/*.ts", { cwd: join(fresh, folder) });
  const names = new Set([...expected, ...globSync("**/*.ts", { cwd: folder })]);
  const drifted = [...names].filter(
    (name) => read(join(fresh, folder, name)) !== read(join(folder, name)),
  );
  for (const name of drifted) process.stderr.write(`drifted: ${folder}/${name}\n`);
  process.stdout.write(`generated: ${names.size} files, ${drifted.length} drifted\n`);
  process.exitCode = drifted.length > 0 || expected.length === 0 ? 1 : 0;
} finally {
  rmSync(fresh, { recursive: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
