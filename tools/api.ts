import { execFileSync } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { renderApi } from "./render-api.ts";
import { reportCheck } from "./report.ts";

// The public API of each published or widely used package, as a golden file: api/<package>.d.ts.
// `--write` rewrites the files; without it, a difference is a problem.

/** Packages whose API other people, or most other packages, build on. */
const PACKAGES = [
  "authz",
  "enforce",
  "errors",
  "ledger",
  "lifetime",
  "pki",
  "plugin-api",
  "rpc",
  "spiffe",
  "unix-peer",
];

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
}

const problems: string[] = [];
let symbols = 0;
const here = PACKAGES.filter((name) => globSync(`packages/${name}/src/index.ts`).length > 0);
const out = mkdtempSync(join(tmpdir(), "bonafide-api-"));
try {
  const config = join(out, "tsconfig.json");
  const root = process.cwd();
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        emitDeclarationOnly: true,
        removeComments: false,
        rootDir: root,
        outDir: join(out, "types"),
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: here.map((name) => join(root, `packages/${name}/src`)),
      exclude: [join(root, "**/*.test.ts")],
    }),
  );
  if (here.length > 0) execFileSync("tsc", ["-p", config], { stdio: "inherit" });
  for (const name of here) {
    const manifest = readManifest(`packages/${name}/package.json`);
    const entries = Object.entries(manifest.exports).flatMap(([key, path]) => {
      const source = join("packages", name, path);
      const entry = join(manifest.name, key).replace(/\/$/, "");
      if (existsSync(source)) return [{ name: entry, path: source.replace(/\.ts$/, ".d.ts") }];
      problems.push(`packages/${name}/package.json: exports ${key}, but ${source} is not there`);
      return [];
    });
    const api = renderApi(entries, (path) => readFileSync(join(out, "types", path), "utf8"));
    symbols += api.symbols;
    problems.push(...api.problems);
    const golden = `api/${name}.d.ts`;
    if (process.argv.includes("--write")) {
      mkdirSync(dirname(golden), { recursive: true });
      writeFileSync(golden, api.text);
    } else if (readGolden(golden) !== api.text) {
      problems.push(`${golden} differs from the code: npm run api, and review the difference`);
    }
  }
  for (const golden of globSync("api/*.d.ts")) {
    if (!here.some((name) => golden === `api/${name}.d.ts`)) problems.push(`${golden} is stray`);
  }
} finally {
  rmSync(out, { recursive: true });
}
reportCheck("api", { packages: here.length, symbols }, problems);

function readGolden(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function readManifest(path: string): Manifest {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifests
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}
