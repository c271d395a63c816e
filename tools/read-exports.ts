import { readFileSync } from "node:fs";
import { type Comment, type Declaration, type ObjectExpression, parseSync } from "oxc-parser";

/** One exported declaration of a file. */
export interface Exported {
  readonly names: readonly string[];
  readonly line: number;
  /** Whether a doc comment stands right before it. */
  readonly documented: boolean;
}

/** One code of a closed error table. */
export interface ErrorEntry {
  readonly table: string;
  readonly code: string;
  readonly status: string;
  readonly retry: boolean;
  /** The doc comment of the code as one line, if there is one. */
  readonly cause: string | undefined;
}

/** What {@link readExports} found in one file. */
export interface FileExports {
  readonly exports: readonly Exported[];
  readonly errors: readonly ErrorEntry[];
  readonly parses: boolean;
}

/** Reads the exported declarations of a TypeScript file, and its tables named `..._ERRORS`. */
export function readExports(file: string): FileExports {
  const source = readFileSync(file, "utf8");
  const { program, comments, errors: faults } = parseSync(file, source);
  const exports: Exported[] = [];
  const errors: ErrorEntry[] = [];
  let previous: Exported | undefined;
  for (const statement of program.body) {
    if (statement.type !== "ExportNamedDeclaration" || statement.declaration === null) {
      previous = undefined;
      continue;
    }
    const { declaration } = statement;
    const names = namesOf(declaration);
    // Only the first of several overloads needs the comment.
    const overload = previous !== undefined && previous.names.join() === names.join();
    const documented = docBefore(source, comments, statement.start) !== undefined || overload;
    previous = { names, line: source.slice(0, statement.start).split("\n").length, documented };
    exports.push(previous);
    if (declaration.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type !== "Identifier" || !id.name.endsWith("_ERRORS")) continue;
      const table = init?.type === "TSAsExpression" ? init.expression : init;
      if (table?.type === "ObjectExpression") {
        errors.push(...readTable(id.name, table, source, comments));
      }
    }
  }
  return { exports, errors, parses: faults.length === 0 };
}

function namesOf(declaration: Declaration): string[] {
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.map(({ id }) => (id.type === "Identifier" ? id.name : "?"));
  }
  const id = "id" in declaration ? declaration.id : null;
  return [id !== null && "name" in id ? id.name : "?"];
}

function readTable(
  table: string,
  object: ObjectExpression,
  source: string,
  comments: readonly Comment[],
): ErrorEntry[] {
  return object.properties.flatMap((property) => {
    if (property.type !== "Property" || property.key.type !== "Identifier") return [];
    const { name: code } = property.key;
    const text = source.slice(property.value.start, property.value.end);
    const status = /status:\s*"(\w+)"/.exec(text)?.[1] ?? "?";
    const retry = /retry:\s*true/.test(text);
    const cause = docBefore(source, comments, property.start);
    return [{ table, code, status, retry, cause }];
  });
}

/** The text of the doc comment that ends right before `start`, as one line. */
function docBefore(
  source: string,
  comments: readonly Comment[],
  start: number,
): string | undefined {
  const comment = comments.findLast(({ end }) => end <= start);
  if (comment === undefined || comment.type !== "Block" || !comment.value.startsWith("*")) {
    return undefined;
  }
  if (source.slice(comment.end, start).trim() !== "") return undefined;
  const text = comment.value.replaceAll(/^\s*\*+ ?/gm, "").replaceAll(/\s+/g, " ");
  return text.trim() === "" ? undefined : text.trim();
}
