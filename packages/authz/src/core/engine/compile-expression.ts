import { EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX } from "../../limits.ts";
import type { EntitySource } from "./entities.ts";
import { extensionOf } from "./extension.ts";
import { FAULTS } from "./fault.ts";
import {
  hasEscape,
  isJsonArray,
  isJsonObject,
  isTypeName,
  type JsonObject,
  readEntityUid,
  readExtensionEscape,
  readLong,
} from "./json.ts";
import { type LikePattern, matchesLike } from "./like.ts";
import * as operators from "./operators.ts";
import { malformed, tooLarge, unsupported } from "./refusals.ts";
import { CedarRecord, CedarSet, EntityUid, type Value, valuesEqual } from "./values.ts";

/** What an expression is evaluated over. */
export interface Scene {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: CedarRecord;
  readonly entities: EntitySource;
}

/** A compiled expression. Throws one of {@link FAULTS} where Cedar's evaluation errs. */
export type Evaluate = (scene: Scene) => Value;

/** A compiled expression, with its value where that depends on nothing. */
interface Compiled {
  readonly run: Evaluate;
  readonly constant?: Value;
}

/** What is left of the limits of one policy. */
export interface Budget {
  nodes: number;
}

/** A budget for one policy. */
export function expressionBudget(): Budget {
  return { nodes: EXPRESSION_NODES_MAX };
}

/**
 * Compiles an expression of Cedar's JSON policy form into a closure.
 *
 * @throws POLICY_MALFORMED    not of that form, or a number that JSON has rounded
 * @throws POLICY_UNSUPPORTED  an operator, variable or function that is not known here
 * @throws POLICY_TOO_LARGE    deeper or larger than the limits
 */
export function compileExpression(json: unknown, budget: Budget): Evaluate {
  return compile(json, 0, budget).run;
}

const VARIABLES: ReadonlyMap<unknown, Evaluate> = new Map<unknown, Evaluate>([
  ["principal", (scene) => scene.principal],
  ["action", (scene) => scene.action],
  ["resource", (scene) => scene.resource],
  ["context", (scene) => scene.context],
]);

type Child = (json: unknown) => Compiled;
type Rule = (args: JsonObject, child: Child) => Compiled;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["!", ({ arg }, child) => unary(child(arg), operators.not)],
  ["neg", ({ arg }, child) => unary(child(arg), operators.negate)],
  ["isEmpty", ({ arg }, child) => unary(child(arg), operators.isEmpty)],
  ["==", (args, child) => compileEquals(args, child, true)],
  ["!=", (args, child) => compileEquals(args, child, false)],
  ["<", (args, child) => binary(args, child, operators.less)],
  ["<=", (args, child) => binary(args, child, operators.lessOrEqual)],
  // Both sides run before they are compared, so the sides may change places.
  [">", (args, child) => binary(args, child, (a, b) => operators.less(b, a))],
  [">=", (args, child) => binary(args, child, (a, b) => operators.lessOrEqual(b, a))],
  ["+", (args, child) => binary(args, child, operators.add)],
  ["-", (args, child) => binary(args, child, operators.subtract)],
  ["*", (args, child) => binary(args, child, operators.multiply)],
  ["contains", (args, child) => binary(args, child, operators.contains)],
  ["containsAll", (args, child) => binary(args, child, operators.containsAll)],
  ["containsAny", (args, child) => binary(args, child, operators.containsAny)],
  ["in", (args, child) => sceneBinary(args, child, operators.isIn)],
  ["hasTag", (args, child) => sceneBinary(args, child, operators.hasTag)],
  ["getTag", (args, child) => sceneBinary(args, child, operators.tagOf)],
  ["&&", compileAnd],
  ["||", compileOr],
  ["if-then-else", compileIf],
  [".", compileAttribute],
  ["has", compileHas],
  ["like", compileLike],
  ["is", compileIs],
]);

function compile(json: unknown, depth: number, budget: Budget): Compiled {
  if (depth > EXPRESSION_DEPTH_MAX) throw tooLarge("an expression is nested too deep");
  if (--budget.nodes < 0) throw tooLarge("the expressions of a policy are too large");
  if (!isJsonObject(json)) throw malformed("an expression is no object");
  const keys = Object.keys(json);
  const [operator] = keys;
  if (operator === undefined || keys.length !== 1) {
    throw malformed("an expression has not exactly one operator");
  }
  const args = json[operator];
  const child: Child = (inner) => compile(inner, depth + 1, budget);
  if (operator === "Value") return compileValue(args, child);
  if (operator === "Var") {
    const run = VARIABLES.get(args);
    if (run === undefined) throw unsupported(`variable ${String(args)}`);
    return { run };
  }
  if (operator === "Set") {
    if (!isJsonArray(args)) throw malformed("a set is no list");
    return compileSet(args.map(child));
  }
  if (operator === "Record") {
    if (!isJsonObject(args)) throw malformed("a record is no object");
    return compileRecord(Object.entries(args).map(([name, item]) => [name, child(item)]));
  }
  const rule = RULES.get(operator);
  if (rule !== undefined) {
    if (!isJsonObject(args)) throw malformed(`the arguments of ${operator} are no object`);
    return rule(args, child);
  }
  if (!isJsonArray(args)) throw unsupported(`operator ${operator}`);
  return compileCall(operator, args.map(child));
}

function constant(value: Value): Compiled {
  return { run: () => value, constant: value };
}

/** `raw` is a value in JSON; its parts count as nodes, since they are compiled like ones. */
function compileValue(raw: unknown, child: Child): Compiled {
  switch (typeof raw) {
    case "boolean":
    case "string":
      return constant(raw);
    case "number":
    case "bigint": {
      const long = readLong(raw);
      if (long === undefined) throw malformed("a number is no 64-bit integer in exact form");
      return constant(long);
    }
    default:
  }
  const inner: Child = (item) => child({ Value: item });
  if (isJsonArray(raw)) return compileSet(raw.map(inner));
  if (!isJsonObject(raw)) throw malformed("a value is missing");
  if (!hasEscape(raw)) {
    return compileRecord(Object.entries(raw).map(([name, item]) => [name, inner(item)]));
  }
  const uid = "__entity" in raw ? readEntityUid(raw) : undefined;
  if (uid !== undefined) return constant(uid);
  const call = readExtensionEscape(raw);
  if (call === undefined) throw malformed("an escape in a value is malformed");
  return compileCall(call.name, call.args.map(inner));
}

function compileSet(items: readonly Compiled[]): Compiled {
  const values = constantsOf(items);
  if (values !== undefined) return constant(new CedarSet(values));
  return { run: (scene) => new CedarSet(items.map(({ run }) => run(scene))) };
}

function compileRecord(entries: readonly (readonly [string, Compiled])[]): Compiled {
  const values = constantsOf(entries.map(([, item]) => item));
  const make = (items: readonly Value[]): CedarRecord =>
    new CedarRecord(new Map(entries.map(([name], index) => [name, items[index] ?? false])));
  if (values !== undefined) return constant(make(values));
  return { run: (scene) => make(entries.map(([, { run }]) => run(scene))) };
}

function constantsOf(items: readonly Compiled[]): readonly Value[] | undefined {
  const values = items.flatMap((item) => (item.constant === undefined ? [] : [item.constant]));
  return values.length === items.length ? values : undefined;
}

function compileCall(name: string, args: readonly Compiled[]): Compiled {
  const call = extensionOf(name, args.length);
  if (call === undefined) throw unsupported(`function ${name} of ${args.length} arguments`);
  const [first = constant(false), second = constant(false)] = args;
  if (args.length === 1) return unary(first, (value) => call(value, false));
  return { run: (scene) => call(first.run(scene), second.run(scene)) };
}

function unary(arg: Compiled, operator: (value: Value) => Value): Compiled {
  const { run } = arg;
  if (arg.constant === undefined) return { run: (scene) => operator(run(scene)) };
  const known = arg.constant;
  try {
    return constant(operator(known));
  } catch {
    // A literal that errs, errs each time the policy comes so far, and not when it is compiled.
    return { run: () => operator(known) };
  }
}

function sides({ left, right }: JsonObject, child: Child): readonly [Compiled, Compiled] {
  return [child(left), child(right)];
}

function binary(args: JsonObject, child: Child, operator: (a: Value, b: Value) => Value): Compiled {
  const [{ run: left }, { run: right }] = sides(args, child);
  return { run: (scene) => operator(left(scene), right(scene)) };
}

function sceneBinary(
  args: JsonObject,
  child: Child,
  operator: (entities: EntitySource, a: Value, b: Value) => Value,
): Compiled {
  const [{ run: left }, { run: right }] = sides(args, child);
  return { run: (scene) => operator(scene.entities, left(scene), right(scene)) };
}

function compileEquals(args: JsonObject, child: Child, wanted: boolean): Compiled {
  const [{ run: left }, right] = sides(args, child);
  const known = right.constant;
  if (known !== undefined && typeof known !== "object") {
    return { run: (scene) => (left(scene) === known) === wanted };
  }
  return { run: (scene) => valuesEqual(left(scene), right.run(scene)) === wanted };
}

function compileAnd(args: JsonObject, child: Child): Compiled {
  const [{ run: left }, { run: right }] = sides(args, child);
  return { run: (scene) => operators.asBoolean(left(scene)) && operators.asBoolean(right(scene)) };
}

function compileOr(args: JsonObject, child: Child): Compiled {
  const [{ run: left }, { run: right }] = sides(args, child);
  return { run: (scene) => operators.asBoolean(left(scene)) || operators.asBoolean(right(scene)) };
}

function compileIf(args: JsonObject, child: Child): Compiled {
  const [{ run: test }, { run: yes }, { run: no }] = [
    child(args["if"]),
    child(args["then"]),
    child(args["else"]),
  ];
  return { run: (scene) => (operators.asBoolean(test(scene)) ? yes(scene) : no(scene)) };
}

function compileAttribute({ left, attr }: JsonObject, child: Child): Compiled {
  if (typeof attr !== "string") throw malformed("an attribute has no name");
  const { run } = child(left);
  return { run: (scene) => operators.attributeOf(scene.entities, run(scene), attr) };
}

/** `x has a.b` is `x has a && x.a has b`. */
function compileHas({ left, attr }: JsonObject, child: Child): Compiled {
  const { run } = child(left);
  const names = isJsonArray(attr) ? attr : [attr];
  const path = names.filter((name) => typeof name === "string");
  const last = path.at(-1);
  if (last === undefined || path.length !== names.length) {
    throw malformed("has names no attribute");
  }
  if (path.length > EXPRESSION_DEPTH_MAX) throw tooLarge("has names too many attributes");
  const way = path.slice(0, -1);
  return {
    run: (scene) => {
      let holder = run(scene);
      for (const name of way) {
        if (!operators.hasAttribute(scene.entities, holder, name)) return false;
        holder = operators.attributeOf(scene.entities, holder, name);
      }
      return operators.hasAttribute(scene.entities, holder, last);
    },
  };
}

function compileLike({ left, pattern }: JsonObject, child: Child): Compiled {
  const { run } = child(left);
  const parts = likeParts(pattern);
  return {
    run: (scene) => {
      const text = run(scene);
      if (typeof text !== "string") throw FAULTS.type;
      return matchesLike(text, parts);
    },
  };
}

function likeParts(pattern: unknown): LikePattern {
  if (!isJsonArray(pattern)) throw malformed("a pattern is no list");
  const parts = [""];
  for (const element of pattern) {
    if (element === "Wildcard") {
      parts.push("");
    } else if (isJsonObject(element) && typeof element["Literal"] === "string") {
      parts.push((parts.pop() ?? "") + element["Literal"]);
    } else throw malformed("a pattern holds neither a wildcard nor a literal");
  }
  return parts;
}

function compileIs(args: JsonObject, child: Child): Compiled {
  const { left, entity_type: type, in: group } = args;
  if (!isTypeName(type)) throw malformed("is names no entity type");
  const { run } = child(left);
  const typed: Evaluate = (scene) => {
    const value = run(scene);
    if (value instanceof EntityUid) return value.type === type;
    throw FAULTS.type;
  };
  if (group === undefined) return { run: typed };
  const { run: within } = child(group);
  return {
    run: (scene) =>
      typed(scene) === true && operators.isIn(scene.entities, run(scene), within(scene)),
  };
}
