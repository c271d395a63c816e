import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { readImports } from "./imports.ts";
import { reportCheck } from "./report.ts";

// An import may only go down, across packages by public name, and never out of a package by path.

const LAYERS: Readonly<Record<string, number>> = {
  "@bonafide/errors": 0,
  "@bonafide/proto": 0,
  "@bonafide/lifetime": 1,
  "@bonafide/pki": 1,
  "@bonafide/rpc": 2,
  "@bonafide/unix-peer": 2,
  "@bonafide/ledger": 2,
  "@bonafide/spiffe": 3,
  "@bonafide/authz": 3,
  "@bonafide/plugin-api": 4,
  "@bonafide/enforce": 4,
  "@bonafide/server": 5,
  "@bonafide/agent": 5,
  "@bonafide/store-sqlite": 5,
  "@bonafide/key-manager-disk": 5,
  "@bonafide/key-manager-memory": 5,
  "@bonafide/upstream-authority-disk": 5,
  "@bonafide/upstream-authority-spire": 5,
  "@bonafide/node-attestor-x509pop": 5,
  "@bonafide/cli": 6,
};
/** Folders outside the packages: they see what a user of the packages sees. */
const OUTSIDE = ["conformance", "suites", "examples", "bench"];

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

const problems: string[] = [];
let modules = 0;
let imports = 0;
const manifests = new Map(
  globSync("{packages,plugins,apps}/*/package.json").map((path) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifests
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    return [manifest.name, { folder: dirname(path), manifest }];
  }),
);

for (const { folder, manifest } of manifests.values()) {
  const { name, dependencies = {}, devDependencies = {} } = manifest;
  const layer = LAYERS[name];
  if (layer === undefined) problems.push(`${folder}: ${name} has no layer`);
  for (const file of globSync(`${folder}/src/**/*.ts`)) {
    const tested = /\.test\.ts$|\/testing\//.test(file);
    for (const specifier of specifiersOf(file)) {
      checkRelative(file, specifier, folder);
      if (!tested && /\/testing(\/|$)/.test(specifier)) {
        problems.push(`${file}: ${specifier} is for tests`);
      }
      const target = packageOf(specifier);
      if (target === undefined || target === name) continue;
      const below = LAYERS[target];
      if (below === undefined || layer === undefined || below >= layer) {
        problems.push(`${file}: ${name} may not import ${target}`);
      }
      if (!(target in dependencies) && !(tested && target in devDependencies)) {
        problems.push(`${file}: ${target} is not in dependencies`);
      }
    }
  }
}
for (const folder of OUTSIDE) {
  for (const file of globSync(`${folder}/**/*.ts`)) {
    for (const specifier of specifiersOf(file)) {
      checkRelative(file, specifier, ...OUTSIDE);
      const target = packageOf(specifier);
      if (target === undefined) continue;
      const entry = `.${specifier.slice(target.length)}`;
      const published = Object.keys(manifests.get(target)?.manifest.exports ?? {});
      const isPublished = published.some((key) =>
        key.endsWith("/*") ? entry.startsWith(key.slice(0, -1)) : key === entry,
      );
      if (!isPublished) problems.push(`${file}: ${specifier} is not a published name`);
    }
  }
}
reportCheck("layers", { modules, imports }, problems);

function specifiersOf(file: string): readonly string[] {
  const read = readImports(file);
  problems.push(...read.problems);
  modules++;
  imports += read.specifiers.length;
  return read.specifiers;
}

function packageOf(specifier: string): string | undefined {
  const [scope, base] = specifier.split("/");
  return scope === "@bonafide" ? `${scope}/${base ?? ""}` : undefined;
}

function checkRelative(file: string, specifier: string, ...folders: readonly string[]): void {
  if (!specifier.startsWith(".") && !specifier.startsWith("/")) return;
  const path = join(dirname(file), specifier);
  const inside = folders.some((folder) => !relative(folder, path).startsWith(".."));
  if (!inside) problems.push(`${file}: ${specifier} leaves ${folders.join(", ")} by path`);
}
