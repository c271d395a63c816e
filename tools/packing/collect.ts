import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What to collect. */
export interface CollectOptions {
  /** Folder of the compiled packages, each in a folder of its name, `src/` left out. */
  readonly build: string;
  /** Modules that users import, relative to `build`. */
  readonly entries: readonly string[];
  /** Packages of ours that are published by themselves, and stay imports. */
  readonly external?: readonly string[];
}

const SPECIFIER = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(["'])([^"']+)\2/g;

/**
 * Collects the modules that the entries reach, with their types, and turns imports of internal packages into relative
 * ones, so that the package depends on nothing of ours.
 *
 * @returns Text by path relative to `build`.
 * @throws Error  an import leads nowhere
 */
export function collect(options: CollectOptions): ReadonlyMap<string, string> {
  const modules = new Map<string, string>();
  const queue = [...options.entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (modules.has(path)) continue;
    const types = path.replace(/\.js$/, ".d.ts");
    for (const file of [path, types]) {
      const text = readFileSync(join(options.build, file), "utf8").replace(
        SPECIFIER,
        (_match, keyword: string, quote: string, specifier: string) => {
          const target = resolveSpecifier(specifier, file, options);
          if (target === undefined) return `${keyword}${quote}${specifier}${quote}`;
          queue.push(target);
          return `${keyword}${quote}${between(file, target)}${quote}`;
        },
      );
      modules.set(file, text);
    }
  }
  return modules;
}

/** The module of a specifier relative to the build; undefined for Node's and for dependencies. */
function resolveSpecifier(
  specifier: string,
  from: string,
  { build, external = [] }: CollectOptions,
): string | undefined {
  if (external.some((name) => specifier === name || specifier.startsWith(`${name}/`))) {
    return undefined;
  }
  // Declarations keep the extension of the source.
  const target = specifier.startsWith(".")
    ? join(dirname(from), specifier.replace(/\.ts$/, ".js"))
    : internal(specifier);
  if (target === undefined) return undefined;
  if (!existsSync(join(build, target))) throw new Error(`${from}: ${specifier} leads nowhere`);
  return target;
}

function internal(specifier: string): string | undefined {
  const match = /^@bonafide\/([a-z-]+)(?:\/(.+))?$/.exec(specifier);
  if (match === null) return undefined;
  const [, name = "", path] = match;
  if (name === "proto") return `proto/gen/${path ?? ""}.js`;
  return path === undefined ? `${name}/index.js` : `${name}/${path}/index.js`;
}

function between(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}

/** Packages that the collected modules import and do not hold, by name. */
export function dependenciesOf(modules: ReadonlyMap<string, string>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const text of modules.values()) {
    for (const [, , , specifier = ""] of text.matchAll(SPECIFIER)) {
      // Not Node's, no path, and no text that only looks like an import.
      const [name] = /^(?:@[a-z0-9-]+\/)?[a-z0-9][a-z0-9._-]*(?=\/|$)/.exec(specifier) ?? [];
      if (name !== undefined) names.add(name);
    }
  }
  return names;
}
