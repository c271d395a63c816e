import { cpSync, existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { build, type Metafile, type Plugin } from "esbuild";
import { parseSync } from "oxc-parser";

// Bundles the command line to dist/bonafide.mjs, with its lazy parts, workers and child programs beside it.
// A file that the code names by `new URL("./x.ts", import.meta.url)` becomes an entry of its own, x.mjs.

const MAIN = "apps/cli/src/main.ts";
const OUT = "dist";
const FORBIDDEN =
  /(^|\/)(packages|plugins|apps)\/[^/]+\/src\/(.*\/)?testing\/|\.test\.ts$|shifted-clock/;
/** What reads a binary file that lies beside it, and so is copied instead of bundled. */
const OUTSIDE: ReadonlyMap<string, () => void> = new Map([
  ["koffi", copyKoffi],
  ["@cedar-policy/cedar-wasm/nodejs", copyCedar],
]);
// Names that the minifier, which likes short ones, does not choose.
const BANNER =
  "import{createRequire as bonafideCreateRequire}from'node:module';const require=bonafideCreateRequire(import.meta.url);";

const root = process.cwd();
const entries = new Map([["bonafide", resolve(MAIN)]]);
const inputs = new Set<string>();
let bytes = 0;
let external: string[] = [];
for (let built = 0; built !== entries.size;) {
  built = entries.size;
  for (const old of globSync(`${OUT}/*.mjs*`)) rmSync(old);
  const { metafile } = await build({
    entryPoints: Object.fromEntries(entries),
    outdir: OUT,
    outExtension: { ".js": ".mjs" },
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node26",
    format: "esm",
    minify: true,
    metafile: true,
    external: [...OUTSIDE.keys()],
    legalComments: "linked",
    banner: { js: BANNER },
    plugins: [urlEntries()],
  });
  for (const input of Object.keys(metafile.inputs)) inputs.add(input);
  bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  external = externalsOf(metafile);
}
const problems = [...inputs]
  .filter((input) => FORBIDDEN.test(input))
  .map((input) => `${input} is in the bundle`);
for (const file of globSync(`${OUT}/*.mjs`)) {
  const { errors } = parseSync(file, readFileSync(file, "utf8"), { showSemanticErrors: true });
  for (const { message } of errors) problems.push(`${file}: ${message}`);
}
for (const name of external) {
  const copy = OUTSIDE.get(name);
  if (copy === undefined) problems.push(`${name} is left outside the bundle`);
  else copy();
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
const names = [...entries.keys()].map((name) => `${name}.mjs`).join(", ");
process.stdout.write(
  `build: ${names} from ${inputs.size} modules, ${Math.round(bytes / 1024)} kB, ${problems.length} problems\n`,
);
process.exitCode = problems.length > 0 || inputs.size < 2 ? 1 : 0;

/** Turns paths of programs and workers into entries, and points the code at what they become. */
function urlEntries(): Plugin {
  return {
    name: "url-entries",
    setup(steps) {
      steps.onLoad({ filter: /\/(packages|plugins|apps)\/.*\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        const contents = source.replaceAll(
          /new URL\(\s*"(\.{1,2}\/[^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g,
          (_, target: string) => {
            const file = resolve(dirname(path), target);
            return `new URL("./${entryFor(file)}.mjs", import.meta.url)`;
          },
        );
        return { contents, loader: "ts" };
      });
    },
  };
}

function entryFor(file: string): string {
  for (const [name, known] of entries) if (known === file) return name;
  const plain = basename(file, ".ts");
  const name = entries.has(plain) ? relative(root, file).replaceAll(/[/.]/g, "-") : plain;
  entries.set(name, file);
  return name;
}

function externalsOf({ outputs }: Metafile): string[] {
  const found = Object.values(outputs).flatMap((output) =>
    output.imports.filter((item) => item.external === true).map((item) => item.path),
  );
  return [...new Set(found)].filter((name) => !isBuiltin(name));
}

/** Puts koffi and its binary for this machine where the bundle finds them. */
function copyKoffi(): void {
  rmSync(join(OUT, "node_modules/koffi"), { recursive: true, force: true });
  for (const file of globSync(
    "node_modules/koffi/{package.json,LICENSE.txt,*.js,*.cjs,src/koffi/**/*.{js,cjs}}",
  )) {
    cpSync(file, join(OUT, file));
  }
  const binary = `node_modules/@koromix/koffi-${process.platform}-${process.arch}`;
  if (existsSync(binary)) cpSync(binary, join(OUT, binary), { recursive: true });
  else throw new Error(`no koffi binary for this machine: ${binary}`);
}

/** Puts Cedar's parser where the bundle finds it: one of its three flavours, without types. */
function copyCedar(): void {
  const from = "node_modules/@cedar-policy/cedar-wasm";
  rmSync(join(OUT, from), { recursive: true, force: true });
  for (const file of globSync(`${from}/{package.json,nodejs/{package.json,*.js,*.wasm}}`)) {
    cpSync(file, join(OUT, file));
  }
}
