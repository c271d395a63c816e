import { CANONICAL_DEPTH_MAX } from "../../limits.ts";
import { isJsonArray, isJsonObject } from "../engine/json.ts";
import { refuse } from "./refuse.ts";

/**
 * A value as the one text that stands for it: no white space, members in the order of their names' code units, numbers
 * that are whole and exact.
 *
 * @throws BUNDLE_MALFORMED  something that has no such text
 */
export function canonicalJson(value: unknown): string {
  return render(value, 0);
}

/**
 * Reads canonical JSON. A value has one text, so that what was signed and what is read cannot differ: no doubled members,
 * no second spelling.
 *
 * @throws BUNDLE_MALFORMED
 */
export function parseCanonicalJson(bytes: Uint8Array): unknown {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse("BUNDLE_MALFORMED", "a part of the bundle is no JSON", {}, cause);
  }
  if (canonicalJson(value) === text) return value;
  throw refuse("BUNDLE_MALFORMED", "a part of the bundle is not in its canonical form");
}

function render(value: unknown, depth: number): string {
  if (depth > CANONICAL_DEPTH_MAX) throw refuse("BUNDLE_MALFORMED", "JSON is nested too deep");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string" && value.isWellFormed()) return JSON.stringify(value);
  if (typeof value === "number" && Number.isSafeInteger(value) && !Object.is(value, -0)) {
    return String(value);
  }
  // Loops, not `map`: half the frames for one level of nesting.
  const parts: string[] = [];
  if (isJsonArray(value)) {
    for (const item of value) parts.push(render(item, depth + 1));
    return `[${parts.join(",")}]`;
  }
  if (!isJsonObject(value)) throw refuse("BUNDLE_MALFORMED", "a value has no canonical form");
  for (const name of Object.keys(value).toSorted()) {
    parts.push(`${render(name, depth + 1)}:${render(value[name], depth + 1)}`);
  }
  return `{${parts.join(",")}}`;
}
