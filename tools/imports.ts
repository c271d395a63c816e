import { readFileSync } from "node:fs";
import { parseSync } from "oxc-parser";

/** The import specifiers of one module, and what could not be read. */
export interface ModuleImports {
  readonly specifiers: readonly string[];
  readonly problems: readonly string[];
}

/** Reads the specifiers of static imports, re-exports and literal `import()` of a TypeScript file. */
export function readImports(file: string): ModuleImports {
  const source = readFileSync(file, "utf8");
  const { module, errors } = parseSync(file, source);
  const problems = errors.length > 0 ? [`${file}: does not parse`] : [];
  const dynamic = module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
    const text = source.slice(start, end);
    if (/^["'][^"']+["']$/.test(text)) return [text.slice(1, -1)];
    problems.push(`${file}: import(${text}) is not a literal`);
    return [];
  });
  const specifiers = [
    ...dynamic,
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((part) => part.moduleRequest?.value ?? []),
    ),
  ];
  return { specifiers, problems };
}
