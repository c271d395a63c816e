/**
 * Packs `@bonafide/spiffe` as users get it, and uses it as they do.
 *
 * `npm run pack` writes the tarball; `npm run pack:check` also lets publint and attw judge it, compiles against its types,
 * and runs it from an empty project on every Node line it supports.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { collect } from "./packing/collect.ts";
import { manifestOf } from "./packing/manifest.ts";
import { useFromEmptyProject } from "./packing/use.ts";

/** What is inlined below `dist/`, in layers; the rest of the repository is none of the SDK's business. */
const INLINED = ["errors", "lifetime", "proto", "pki", "rpc", "spiffe"] as const;
const BUILD = "dist/sdk/build";
const OUT = "dist/sdk/package";

const isCheck = process.argv.includes("--check");
rmSync("dist/sdk", { recursive: true, force: true });
compile();
const modules = collect({ build: BUILD, entries: ["spiffe/index.js", "spiffe/testing/index.js"] });
for (const [path, text] of modules) write(join(OUT, "dist", path), text);
const version = manifest("packages/spiffe/package.json")["version"];
write(join(OUT, "package.json"), manifestOf(manifest("packages/spiffe/package.json")));
cpSync("LICENSE", join(OUT, "LICENSE"));
cpSync("packages/spiffe/README.md", join(OUT, "README.md"));
execFileSync("npm", ["pack", "--silent", "--pack-destination", "dist/sdk", `./${OUT}`]);
const tarball = resolve("dist/sdk", `bonafide-spiffe-${String(version)}.tgz`);
process.stdout.write(`packed: ${modules.size} files, ${tarball}\n`);
if (isCheck) {
  execFileSync("publint", ["run", tarball, "--strict"], { stdio: "inherit" });
  execFileSync("attw", ["--profile", "esm-only", tarball], { stdio: "inherit" });
  useFromEmptyProject(tarball);
}

/**
 * Down to what Node 22 understands: `using` becomes plain code, and the library types know nothing newer, so that a newer
 * method is an error here and not at a user's.
 */
function compile(): void {
  const config = "tsconfig.pack.tmp.json";
  const include = INLINED.map((name) => `packages/${name}/src`);
  const compilerOptions = {
    target: "es2023",
    lib: ["es2024", "esnext.disposable", "esnext.collection", "esnext.iterator"],
    rootDir: "packages",
    outDir: BUILD,
  };
  const exclude = ["packages/*/src/**/*.test.ts"];
  writeFileSync(
    config,
    JSON.stringify({ extends: "./tsconfig.build.json", compilerOptions, include, exclude }),
  );
  try {
    execFileSync("tsc", ["-p", config], { stdio: "inherit" });
  } finally {
    rmSync(config);
  }
  for (const path of globSync(`${BUILD}/*/src/**/*.{js,d.ts}`)) {
    write(path.replace("/src/", "/"), readFileSync(path, "utf8"));
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function manifest(path: string): Record<string, unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifests
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}
