import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { VALUE_DEPTH_MAX, VALUE_NODES_MAX } from "../../limits.ts";
import { callExtension } from "./extension.ts";
import { Fault } from "./fault.ts";
import { longOf } from "./long.ts";
import { CedarRecord, CedarSet, EntityUid, type Value } from "./values.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object, and no array. */
export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether a value is an array. */
export function isJsonArray(json: unknown): json is readonly unknown[] {
  return Array.isArray(json);
}

const TYPE_NAME = /^[_a-zA-Z][_a-zA-Z0-9]*(?:::[_a-zA-Z][_a-zA-Z0-9]*)*$/;

/** Whether a text is the name of an entity type, with its namespaces. */
export function isTypeName(text: unknown): text is string {
  return typeof text === "string" && TYPE_NAME.test(text);
}

/** Reads `{type, id}` or `{__entity: {type, id}}`; `undefined` if it is neither. */
export function readEntityUid(json: unknown): EntityUid | undefined {
  if (!isJsonObject(json)) return undefined;
  const bare = isEscape(json, "__entity") ? json["__entity"] : json;
  if (!isJsonObject(bare)) return undefined;
  const { type, id, ...rest } = bare;
  if (!isTypeName(type) || typeof id !== "string" || Object.keys(rest).length > 0) return undefined;
  return new EntityUid(type, id);
}

/** Reads the arguments of `{__extn: {fn, arg}}` or `{__extn: {fn, args}}`; `undefined` if it is neither. */
export function readExtensionEscape(
  json: JsonObject,
): { readonly name: string; readonly args: readonly unknown[] } | undefined {
  const call = json["__extn"];
  if (!isEscape(json, "__extn") || !isJsonObject(call)) return undefined;
  const { fn: name, arg, args, ...rest } = call;
  if (typeof name !== "string" || Object.keys(rest).length > 0) return undefined;
  if (isJsonArray(args) && arg === undefined) return { name, args };
  return args === undefined && arg !== undefined ? { name, args: [arg] } : undefined;
}

/** Whether an object has one of the keys that Cedar's JSON keeps for itself. */
export function hasEscape(json: JsonObject): boolean {
  return "__entity" in json || "__extn" in json || "__expr" in json;
}

/** Reads a number or bigint as a Long; `undefined` if it is fractional, too big, or was rounded by a JSON reader. */
export function readLong(json: number | bigint): number | bigint | undefined {
  if (typeof json === "bigint") return longOf(json);
  return Number.isSafeInteger(json) ? json + 0 : undefined;
}

/**
 * Reads a value of an entity or a context from Cedar's JSON form.
 *
 * @throws VALUE_MALFORMED  null, a fraction, a number that JSON has rounded, an extension value that does not parse,
 *   nesting deeper than 32, or more than 20,000 members
 */
export function parseValue(json: unknown): Value {
  return read(json, 0, { left: VALUE_NODES_MAX });
}

/** Reads a record of values, such as the context of a request. @throws VALUE_MALFORMED as {@link parseValue} */
export function parseRecord(json: unknown): CedarRecord {
  const value = parseValue(json);
  if (value instanceof CedarRecord) return value;
  throw malformed("a record is wanted here");
}

function read(json: unknown, depth: number, budget: { left: number }): Value {
  if (depth > VALUE_DEPTH_MAX) throw malformed("a value is nested too deep");
  if (--budget.left < 0) throw malformed("a value has too many members");
  switch (typeof json) {
    case "boolean":
    case "string":
      return json;
    case "number":
    case "bigint": {
      const long = readLong(json);
      if (long === undefined) throw malformed("a number is not a 64-bit integer in exact form");
      return long;
    }
    default:
  }
  if (isJsonArray(json)) return new CedarSet(json.map((item) => read(item, depth + 1, budget)));
  if (!isJsonObject(json)) throw malformed("a value is missing");
  if (!hasEscape(json)) {
    const entries = Object.entries(json);
    return new CedarRecord(
      new Map(entries.map(([name, item]) => [name, read(item, depth + 1, budget)])),
    );
  }
  const uid = "__entity" in json ? readEntityUid(json) : undefined;
  if (uid !== undefined) return uid;
  const call = readExtensionEscape(json);
  if (call === undefined) throw malformed("an escape in a value is malformed");
  const args = call.args.map((arg) => read(arg, depth + 1, budget));
  try {
    const value = callExtension(call.name, args);
    if (value !== undefined) return value;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
  throw malformed(`no value of extension ${call.name.slice(0, 40)}`);
}

function isEscape(json: JsonObject, key: string): boolean {
  return key in json && Object.keys(json).length === 1;
}

function malformed(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "VALUE_MALFORMED", message);
}
