import { isJsonArray, isJsonObject, readEntityUid } from "../engine/json.ts";
import type { Condition } from "../engine/policy.ts";

/** The parts of a policy's conditions, all of which have to hold. */
export interface Conjuncts {
  /** What can be answered without a request: by entities alone. */
  readonly settled: readonly Condition[];
  /** What hangs on the context of a request. */
  readonly open: readonly Condition[];
}

/** Takes conditions apart at each `&&`, and an `unless` at each `||`; in the order in which they are evaluated. */
export function conjunctsOf(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.flatMap(({ kind, body }) =>
    parts(body, kind === "when" ? "&&" : "||").map((part) => ({ kind, body: part })),
  );
}

/** Parts the conjuncts of conditions by what they hang on. */
export function splitConditions(conditions: readonly Condition[]): Conjuncts {
  const all = conjunctsOf(conditions);
  return {
    settled: all.filter(({ body }) => !mentionsContext(body)),
    open: all.filter(({ body }) => mentionsContext(body)),
  };
}

/** Calls `found` with the key of each entity that stands in an expression or a policy as a literal. */
export function entitiesIn(json: unknown, found: (key: string) => void): void {
  walk(json, (object) => {
    const uid = readEntityUid("entity" in object ? object["entity"] : object);
    if (uid !== undefined) found(uid.key);
  });
}

/** What is malformed stays a part, for the compiler to refuse. */
function parts(body: unknown, operator: string): readonly unknown[] {
  const done: unknown[] = [];
  const todo = [body];
  while (todo.length > 0) {
    const next = todo.pop();
    const args = isJsonObject(next) ? next[operator] : undefined;
    if (isJsonObject(args)) todo.push(args["right"], args["left"]);
    else done.push(next);
  }
  return done;
}

function mentionsContext(json: unknown): boolean {
  let found = false;
  walk(json, (object) => (found ||= object["Var"] === "context"));
  return found;
}

function walk(json: unknown, visit: (object: Readonly<Record<string, unknown>>) => void): void {
  const todo = [json];
  while (todo.length > 0) {
    const next = todo.pop();
    if (isJsonArray(next)) todo.push(...next);
    else if (isJsonObject(next)) {
      visit(next);
      todo.push(...Object.values(next));
    }
  }
}
