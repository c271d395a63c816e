/**
 * Packs what users install, as they get it, and uses it as they do.
 *
 * `npm run pack` writes the tarballs; `npm run pack:check` also lets publint and attw judge them, compiles against their
 * types, and runs them from an empty project on every Node line that they support.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { collect, dependenciesOf } from "./packing/collect.ts";
import { manifestOf } from "./packing/manifest.ts";
import { PUBLISHED, type PublishedPackage } from "./packing/published.ts";
import { useFromEmptyProject } from "./packing/use.ts";

/** What is inlined below `dist/`, in layers; the rest of the repository is none of the users' business. */
const INLINED = [
  "errors",
  "lifetime",
  "proto",
  "pki",
  "rpc",
  "spiffe",
  "authz",
  "enforce",
] as const;
const BUILD = "dist/sdk/build";

const isCheck = process.argv.includes("--check");
rmSync("dist/sdk", { recursive: true, force: true });
compile();
const tarballs = PUBLISHED.map(pack);
if (isCheck) {
  for (const tarball of tarballs) {
    execFileSync("publint", ["run", tarball, "--strict"], { stdio: "inherit" });
    execFileSync("attw", ["--profile", "esm-only", tarball], { stdio: "inherit" });
  }
  useFromEmptyProject(tarballs);
}

function pack({ folder, description, entries, peers }: PublishedPackage): string {
  const out = `dist/sdk/${folder}`;
  const modules = collect({
    build: BUILD,
    entries: Object.values(entries).map((path) => `${path}.js`),
    external: peers,
  });
  for (const [path, text] of modules) write(join(out, "dist", path), text);
  const source = manifest(`packages/${folder}/package.json`);
  const version = String(source["version"]);
  const used = [...dependenciesOf(modules)].filter((name) => !peers.includes(name)).toSorted();
  const dependencies = Object.fromEntries(used.map((name) => [name, versionOf(name)]));
  const brought = Object.fromEntries(peers.map((name) => [name, version]));
  const text = manifestOf({ source, description, dependencies, peers: brought, entries });
  write(join(out, "package.json"), text);
  cpSync("LICENSE", join(out, "LICENSE"));
  cpSync(`packages/${folder}/README.md`, join(out, "README.md"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", "dist/sdk", `./${out}`]);
  const tarball = resolve("dist/sdk", `bonafide-${folder}-${version}.tgz`);
  process.stdout.write(`packed: ${modules.size} files, ${tarball}\n`);
  return tarball;
}

/** The exact version that a package of the repository asks for. @throws Error  none does */
function versionOf(name: string): string {
  for (const folder of INLINED) {
    const { dependencies } = manifest(`packages/${folder}/package.json`);
    const version = Object.entries(
      typeof dependencies === "object" ? { ...dependencies } : {},
    ).find(([dependency]) => dependency === name);
    if (version !== undefined) return String(version[1]);
  }
  throw new Error(`${name} is imported, and no manifest has it`);
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
