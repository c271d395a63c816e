import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { reportCheck } from "./report.ts";

// Packs the SDK and the packages below it as users would get them, checks the tarballs, and uses them from a project.
// The tarballs stay in dist/packages for whoever wants to install them.

const PUBLISHED = "@bonafide/spiffe";
const ENGINES = { node: ">=22" };
const OUT = "dist/packages";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  exports: Record<string, string | object>;
  [key: string]: unknown;
}

const problems: string[] = [];
const folders = new Map(
  globSync("packages/*/package.json").map((path) => [readManifest(path).name, path.slice(0, -13)]),
);
const order: string[] = [];
collect(PUBLISHED);
rmSync(OUT, { recursive: true, force: true });
const tarballs = order.map((name) => pack(name));
for (const tarball of tarballs) {
  check("publint", ["run", tarball, "--strict"]);
  check("attw", ["--profile", "esm-only", tarball]);
}
useFromProject();
reportCheck("pack", { packages: tarballs.length }, problems);

/** Puts a package after all that it depends on. */
function collect(name: string): void {
  const folder = folders.get(name);
  if (folder === undefined || order.includes(name)) return;
  for (const below of Object.keys(readManifest(`${folder}/package.json`).dependencies ?? {})) {
    collect(below);
  }
  order.push(name);
}

function pack(name: string): string {
  const from = folders.get(name) ?? "";
  const to = join(OUT, from);
  mkdirSync(to, { recursive: true });
  const config = `${from}/tsconfig.build.tmp.json`;
  const compilerOptions = { rootDir: "src", outDir: resolve(to, "dist"), declaration: true };
  writeFileSync(
    config,
    JSON.stringify({
      extends: "../../tsconfig.build.json",
      compilerOptions,
      include: ["src"],
      exclude: ["src/**/*.test.ts"],
    }),
  );
  try {
    execFileSync("tsc", ["-p", config], { stdio: "inherit" });
  } finally {
    rmSync(config);
  }
  const manifest = readManifest(`${from}/package.json`);
  for (const [key, value] of Object.entries(manifest.exports)) {
    if (typeof value !== "string") throw new Error(`${name}: exports ${key} is not a path`);
    const path = value.replace("./src/", "./dist/").replace(/\.ts$/, "");
    manifest.exports[key] = { types: `${path}.d.ts`, default: `${path}.js` };
  }
  manifest["files"] = ["dist"];
  manifest["engines"] = ENGINES;
  writeFileSync(`${to}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync("LICENSE", `${to}/LICENSE`);
  const args = ["pack", "--silent", "--pack-destination", OUT, `./${to}`];
  const file = execFileSync("npm", args, { encoding: "utf8" }).trim().split("\n").at(-1) ?? "";
  return join(OUT, file);
}

function check(tool: string, args: readonly string[]): void {
  try {
    execFileSync(tool, [...args], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const out = error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
    problems.push(`${tool} ${args.join(" ")}:\n${out}`);
  }
}

/** Installs the tarballs into an empty project and imports every entry of the SDK there. */
function useFromProject(): void {
  const project = mkdtempSync(join(tmpdir(), "bonafide-pack-"));
  try {
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", type: "module" }));
    const install = ["install", "--silent", "--no-save", "--no-audit", "--no-fund"];
    execFileSync(
      "npm",
      [
        ...install,
        "--ignore-scripts",
        "--prefer-offline",
        ...tarballs.map((file) => resolve(file)),
      ],
      { cwd: project, stdio: "inherit" },
    );
    const entries = Object.keys(readManifest(`${folders.get(PUBLISHED)}/package.json`).exports);
    const lines = entries.map((entry) => {
      const specifier = JSON.stringify(PUBLISHED + entry.slice(1));
      return `if (Object.keys(await import(${specifier})).length === 0) throw new Error(${specifier});`;
    });
    writeFileSync(join(project, "use.js"), lines.join("\n"));
    execFileSync(process.execPath, ["use.js"], { cwd: project, stdio: "inherit" });
  } catch (error) {
    problems.push(`the tarballs do not work in a project: ${String(error)}`);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function readManifest(path: string): Manifest {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifests
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}
