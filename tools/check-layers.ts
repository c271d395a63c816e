import { globSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseSync } from "oxc-parser";

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
  "@bonafide/server": 5,
  "@bonafide/agent": 5,
  "@bonafide/store-sqlite": 5,
  "@bonafide/key-manager-disk": 5,
  "@bonafide/key-manager-memory": 5,
  "@bonafide/cli": 6,
};

const problems: string[] = [];
let modules = 0;
let imports = 0;
for (const manifest of globSync("{packages,plugins,apps}/*/package.json")) {
  const folder = manifest.slice(0, -"/package.json".length);
  const { name, dependencies = {} } = readManifest(manifest);
  const layer = LAYERS[name];
  if (layer === undefined) problems.push(`${folder}: ${name} has no layer`);
  for (const file of globSync(`${folder}/src/**/*.ts`)) {
    modules++;
    const source = readFileSync(file, "utf8");
    const { module, errors } = parseSync(file, source);
    if (errors.length > 0) problems.push(`${file}: does not parse`);
    const specifiers = [
      ...module.dynamicImports.map((entry) => {
        const { start, end } = entry.moduleRequest;
        const text = source.slice(start, end);
        if (!/^["'][^"']+["']$/.test(text))
          problems.push(`${file}: import(${text}) is not a literal`);
        return text.slice(1, -1);
      }),
      ...module.staticImports.map((entry) => entry.moduleRequest.value),
      ...module.staticExports.flatMap((e) =>
        e.entries.flatMap((x) => x.moduleRequest?.value ?? []),
      ),
    ];
    for (const specifier of specifiers) {
      imports++;
      const [scope, base] = specifier.split("/");
      if (scope !== "@bonafide") continue;
      const target = `${scope}/${base ?? ""}`;
      if (target === name) continue;
      const below = LAYERS[target];
      if (below === undefined || layer === undefined || below >= layer) {
        problems.push(`${file}: ${name} may not import ${target}`);
      }
      if (!(target in dependencies)) problems.push(`${file}: ${target} is not in dependencies`);
    }
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(
  `layers: ${modules} modules, ${imports} imports, ${problems.length} problems\n`,
);
process.exitCode = problems.length > 0 || modules === 0 || imports === 0 ? 1 : 0;

function readManifest(path: string): { name: string; dependencies?: Record<string, string> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifests
  return JSON.parse(readFileSync(path, "utf8")) as { name: string };
}
