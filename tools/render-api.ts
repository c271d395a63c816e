import { dirname, join } from "node:path";
import { type ModuleExportName, parseSync, type Program } from "oxc-parser";

/** One entry of a package's `exports`. */
export interface ApiEntry {
  /** `@bonafide/spiffe/testing`. */
  readonly name: string;
  /** Path of the emitted declaration file. */
  readonly path: string;
}

/** The rendered API of one package. */
export interface RenderedApi {
  readonly text: string;
  readonly symbols: number;
  readonly problems: readonly string[];
}

/**
 * Renders what a package exports, sorted by name, from its emitted declarations.
 *
 * Re-exports by name are followed inside the package. Comments are left out: the file is about shape.
 *
 * @param read  Gives the text of a declaration file by path.
 */
export function renderApi(
  entries: readonly ApiEntry[],
  read: (path: string) => string,
): RenderedApi {
  const problems: string[] = [];
  let symbols = 0;
  const modules = new Map<string, Module>();
  const load = (path: string): Module => {
    const known = modules.get(path) ?? readModule(path, read(path));
    modules.set(path, known);
    return known;
  };
  const find = (path: string, name: string): string | undefined => {
    const module = load(path);
    const target = module.forwards.get(name);
    if (target === undefined) return module.declared.get(name)?.join("\n");
    if (!target.from.startsWith(".")) return `export { ${target.name} } from "${target.from}";`;
    return find(join(dirname(path), target.from.replace(/\.ts$/, ".d.ts")), target.name);
  };
  const parts = entries.map((entry) => {
    const { forwards, exported, stars } = load(entry.path);
    if (stars) problems.push(`${entry.name}: export * hides what is public`);
    const names = [...new Set([...forwards.keys(), ...exported])].toSorted();
    symbols += names.length;
    const texts = names.map((name) => {
      const text = find(entry.path, name);
      if (text === undefined) problems.push(`${entry.name}: ${name} is not found`);
      return text ?? "";
    });
    return `// ${entry.name}\n\n${texts.join("\n\n")}\n`;
  });
  return { text: parts.join("\n"), symbols, problems };
}

interface Module {
  readonly declared: ReadonlyMap<string, readonly string[]>;
  readonly exported: readonly string[];
  readonly forwards: ReadonlyMap<string, { readonly from: string; readonly name: string }>;
  readonly stars: boolean;
}

function readModule(path: string, source: string): Module {
  const { program, comments, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} does not parse`);
  let bare = source;
  for (const { start, end } of comments) {
    bare = bare.slice(0, start) + source.slice(start, end).replaceAll(/\S/g, " ") + bare.slice(end);
  }
  const declared = new Map<string, string[]>();
  const exported: string[] = [];
  const forwards = new Map<string, { from: string; name: string }>();
  let stars = false;
  for (const statement of program.body) {
    if (statement.type === "ExportAllDeclaration") stars = true;
    if (statement.type === "ExportNamedDeclaration" && statement.declaration === null) {
      for (const { local, exported: as } of statement.specifiers) {
        const from = statement.source?.value;
        if (from === undefined) exported.push(textOf(as));
        else forwards.set(textOf(as), { from, name: textOf(local) });
      }
      continue;
    }
    const text = bare.slice(statement.start, statement.end).replaceAll(/\n(?:\s*\n)+/g, "\n");
    for (const name of namesOf(statement)) {
      declared.set(name, [...(declared.get(name) ?? []), text.replaceAll(/[ \t]+$/gm, "")]);
      if (statement.type === "ExportNamedDeclaration") exported.push(name);
    }
  }
  return { declared, exported, forwards, stars };
}

function namesOf(statement: Program["body"][number]): string[] {
  const declaration =
    statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (declaration === null) return [];
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) =>
      id.type === "Identifier" ? [id.name] : [],
    );
  }
  if (!("id" in declaration) || declaration.id === null) return [];
  return "name" in declaration.id ? [declaration.id.name] : [];
}

function textOf(name: ModuleExportName): string {
  return name.type === "Literal" ? name.value : name.name;
}
