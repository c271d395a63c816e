import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { JSON_DEPTH_MAX } from "../limits.ts";

/**
 * A JSON value that lost nothing: integers are `bigint` of any size, objects are maps, so that no member name can reach
 * a prototype.
 */
export type JsonValue = null | boolean | number | bigint | string | JsonArray | JsonObject;
/** A JSON array. */
export type JsonArray = readonly JsonValue[];
/** A JSON object, members in their order. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Options of {@link parseJson}. */
export interface ParseJsonOptions {
  /** Largest document in UTF-16 units. */
  readonly lengthMax: number;
}

/**
 * Reads JSON as the bundle standard needs it: a sequence number keeps its 64 bits (BND-08), and a name that occurs twice
 * in one object is refused (BND-20), which `JSON.parse` does neither.
 *
 * @throws BUNDLE_MALFORMED  not JSON, a repeated name, too long, or nested deeper than 32
 * @spec RFC 8259
 */
export function parseJson(text: string, options: ParseJsonOptions): JsonValue {
  if (text.length > options.lengthMax) fail("too-long");
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** Whether a value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/** Whether a value is an array. */
export function isJsonArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}

function fail(reason: string): never {
  throw new BonafideError(SPIFFE_ERRORS, "BUNDLE_MALFORMED", `not a bundle document: ${reason}`, {
    details: { reason },
  });
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// Lint wants no control characters in patterns; these are the ones JSON forbids inside a string.
const PLAIN = /[^"\\\p{Cc}]*/uy;
const INTEGER_DIGITS_MAX = 100;
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > JSON_DEPTH_MAX) fail("too-deep");
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#space();
    if (this.#at !== this.#text.length) fail("trailing-text");
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#at++;
    if (this.#takes("}")) return members;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') fail("member-name");
      const name = this.#string();
      if (members.has(name)) fail("duplicate-member");
      if (!this.#takes(":")) fail("colon");
      members.set(name, this.value(depth + 1));
    } while (this.#takes(","));
    if (!this.#takes("}")) fail("object-end");
    return members;
  }

  #array(depth: number): JsonArray {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#takes("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.#takes(","));
    if (!this.#takes("]")) fail("array-end");
    return items;
  }

  #string(): string {
    let out = "";
    for (this.#at++; ;) {
      PLAIN.lastIndex = this.#at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? "";
      out += plain;
      this.#at += plain.length;
      const code = this.#text[this.#at++];
      if (code === '"') return out;
      if (code === "\\") out += this.#escape();
      // DEL and the C1 characters are control characters for Unicode, and plain ones for JSON.
      else if (code !== undefined && code >= "\u007f") out += code;
      else fail("string");
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? "";
    if (letter !== "u") return ESCAPES.get(letter) ?? fail("escape");
    const hex = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail("escape");
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #scalar(): JsonValue {
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text) ?? fail("value");
    this.#at += match[0].length;
    if (match[1] !== undefined || match[2] !== undefined) return Number(match[0]);
    // Turning digits into a bigint costs more than linear time.
    return match[0].length <= INTEGER_DIGITS_MAX ? BigInt(match[0]) : fail("number");
  }

  /** Takes one character after white space, if it is there. */
  #takes(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (; ; this.#at++) {
      const c = this.#text[this.#at];
      if (c !== " " && c !== "\n" && c !== "\r" && c !== "\t") return;
    }
  }
}
