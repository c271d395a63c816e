import { isJsonArray, isJsonObject, type JsonObject, readEntityUid } from "../engine/json.ts";

const INFIX = new Set(["==", "!=", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "in"]);
const METHODS = new Set(["contains", "containsAll", "containsAny", "getTag", "hasTag"]);
const CONSTRUCTORS = new Set(["ip", "decimal", "datetime", "duration"]);
const WORD = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Writes an expression of Cedar's JSON policy form as text for people. */
export function printExpression(json: unknown): string {
  if (!isJsonObject(json)) return "?";
  const [[operator, args] = ["?", undefined]] = Object.entries(json);
  if (operator === "Value") return printValue(args);
  if (operator === "Var") return String(args);
  if (operator === "Set" && isJsonArray(args)) return `[${args.map(printExpression).join(", ")}]`;
  if (operator === "Record" && isJsonObject(args)) return printFields(args, printExpression);
  if (isJsonArray(args)) {
    const print = CONSTRUCTORS.has(operator) ? printExpression : within;
    return printCall(operator, args.map(print));
  }
  return isJsonObject(args) ? printOperator(operator, args) : "?";
}

function printOperator(operator: string, args: JsonObject): string {
  const { left, right, arg, attr, pattern, entity_type: type } = args;
  if (INFIX.has(operator)) return `${within(left)} ${operator} ${within(right)}`;
  if (METHODS.has(operator)) return `${within(left)}.${operator}(${printExpression(right)})`;
  switch (operator) {
    case "!":
      return `!${within(arg)}`;
    case "neg":
      return `-${within(arg)}`;
    case "isEmpty":
      return `${within(arg)}.isEmpty()`;
    case ".":
      return WORD.test(String(attr))
        ? `${within(left)}.${String(attr)}`
        : `${within(left)}[${quoted(attr)}]`;
    case "has": {
      const names = isJsonArray(attr) ? attr : [attr];
      return `${within(left)} has ${names.map((name) => (WORD.test(String(name)) ? String(name) : quoted(name))).join(".")}`;
    }
    case "like":
      return `${within(left)} like "${isJsonArray(pattern) ? pattern.map(printPattern).join("") : ""}"`;
    case "is":
      return `${within(left)} is ${String(type)}${args["in"] === undefined ? "" : ` in ${within(args["in"])}`}`;
    case "if-then-else":
      return `if ${within(args["if"])} then ${within(args["then"])} else ${within(args["else"])}`;
    default:
      return "?";
  }
}

/** In parentheses, unless it binds as tight as a name. */
function within(json: unknown): string {
  const text = printExpression(json);
  const [operator = ""] = isJsonObject(json) ? Object.keys(json) : [];
  const isLoose =
    INFIX.has(operator) || ["!", "neg", "has", "like", "is", "if-then-else"].includes(operator);
  return isLoose ? `(${text})` : text;
}

function printCall(name: string, args: readonly string[]): string {
  if (CONSTRUCTORS.has(name)) return `${name}(${args.join(", ")})`;
  return `${args[0] ?? ""}.${name}(${args.slice(1).join(", ")})`;
}

function printValue(json: unknown): string {
  if (typeof json === "string") return quoted(json);
  if (isJsonArray(json)) return `[${json.map(printValue).join(", ")}]`;
  if (!isJsonObject(json)) return String(json);
  const uid = "__entity" in json ? readEntityUid(json) : undefined;
  if (uid !== undefined) return `${uid.type}::${quoted(uid.id)}`;
  const call = json["__extn"];
  if (isJsonObject(call)) {
    const args = isJsonArray(call["args"]) ? call["args"] : [call["arg"]];
    return printCall(String(call["fn"]), args.map(printValue));
  }
  return printFields(json, printValue);
}

function printFields(fields: JsonObject, print: (json: unknown) => string): string {
  const entries = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = entries.map(([name, json]) => `${quoted(name)}: ${print(json)}`);
  return `{${parts.join(", ")}}`;
}

function printPattern(element: unknown): string {
  if (!isJsonObject(element)) return "*";
  return quoted(element["Literal"]).slice(1, -1).replaceAll("*", "\\*");
}

/** A text of Cedar: JSON's escapes but for the characters that only JSON escapes by number. */
function quoted(text: unknown): string {
  return JSON.stringify(String(text)).replace(
    /\\u([0-9a-f]{4})/g,
    (_, hex: string) => `\\u{${hex}}`,
  );
}
