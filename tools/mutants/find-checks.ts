import { parseSync } from "oxc-parser";

/** A check: a condition under which code refuses. */
export interface Check {
  /** `FILE FUNCTION: CONDITION`, with ` #2` for the second of its kind: no line numbers, so that it outlives edits. */
  readonly id: string;
  readonly file: string;
  /** Where the condition stands in the source. */
  readonly start: number;
  readonly end: number;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** What a function that refuses is called, and what an answer that refuses says. */
const REFUSES = /refus|fail|fault|invalid|denied|missing|malformed|unreadable|not_found/i;

/** The checks of one file: each condition of an `if` that throws or answers with a refusal, and each part of an `||`. */
export function findChecks(file: string, source: string): readonly Check[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} does not parse`);
  const seen = new Map<string, number>();
  const checks: Check[] = [];
  const add = (where: string, { start, end }: Node): void => {
    const condition = source.slice(start, end).replaceAll(/\s+/g, " ");
    const id = `${file} ${where}: ${condition}`;
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    checks.push({ id: count === 1 ? id : `${id} #${count}`, file, start, end });
  };
  const visit = (value: unknown, where: string): void => {
    if (Array.isArray(value)) {
      for (const each of value) visit(each, where);
    } else if (isNode(value)) {
      const inside = nameOf(value) ?? where;
      if (value.type === "IfStatement" && isNode(value["test"]) && refuses(value["consequent"])) {
        for (const part of partsOf(value["test"])) add(inside, part);
      }
      for (const each of Object.values(value)) visit(each, inside);
    }
  };
  visit(program, "module");
  return checks;

  function refuses(consequent: unknown): boolean {
    const last = isNode(consequent) ? (lastOf(consequent) ?? consequent) : undefined;
    if (last === undefined) return false;
    if (last.type === "ThrowStatement") return true;
    if (last.type === "ExpressionStatement" && isNode(last["expression"])) {
      const { start, end } = last["expression"];
      return /^(problems|faults)\.push\(/.test(source.slice(start, end));
    }
    if (last.type !== "ReturnStatement" || !isNode(last["argument"])) return false;
    const { type, start, end, value } = last["argument"];
    if (type === "Literal") return value === false || typeof value === "string";
    if (type === "TemplateLiteral") return true;
    return ["CallExpression", "ObjectExpression", "NewExpression"].includes(type)
      ? REFUSES.test(source.slice(start, end))
      : false;
  }
}

function lastOf(node: Node): Node | undefined {
  const { body } = node;
  if (node.type !== "BlockStatement" || !Array.isArray(body)) return undefined;
  const last: unknown = body.at(-1);
  return isNode(last) ? last : undefined;
}

/** `a || b` refuses for two reasons. */
function partsOf(test: Node): readonly Node[] {
  const { left, right, operator } = test;
  if (test.type !== "LogicalExpression" || operator !== "||") return [test];
  return [left, right].flatMap((side) => (isNode(side) ? partsOf(side) : []));
}

function nameOf(node: Node): string | undefined {
  const { id, key } = node;
  if (node.type === "FunctionDeclaration" || node.type === "VariableDeclarator") return nameIn(id);
  return node.type === "MethodDefinition" ? nameIn(key) : undefined;
}

function nameIn(value: unknown): string | undefined {
  return isNode(value) && typeof value["name"] === "string" ? value["name"] : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
