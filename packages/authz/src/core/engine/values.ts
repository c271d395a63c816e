import type { IpRange } from "./ip.ts";
import type { Long } from "./long.ts";
import type { Datetime, Decimal, Duration } from "./scalars.ts";

/** Any value of the Cedar language. */
export type Value =
  | boolean
  | string
  | Long
  | EntityUid
  | CedarSet
  | CedarRecord
  | IpRange
  | Decimal
  | Datetime
  | Duration;

/** The name of an entity: its type and its id. */
export class EntityUid {
  readonly kind = "entity";
  readonly type: string;
  readonly id: string;
  /** `Type::"id"`, without escapes: a type holds no quote, so the text is unambiguous. */
  readonly key: string;

  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
    this.key = `${type}::"${id}"`;
  }
}

/** A set; members are held by the key of their value, so doubled members are one. */
export class CedarSet {
  readonly kind = "set";
  readonly members: ReadonlyMap<string, Value>;
  #key: string | undefined;

  constructor(members: Iterable<Value>) {
    const byKey = new Map<string, Value>();
    for (const member of members) byKey.set(valueKey(member), member);
    this.members = byKey;
  }

  /** The same for equal sets, and different for all other values. */
  get key(): string {
    this.#key ??= `{${[...this.members.keys()].toSorted().map(framed).join("")}}`;
    return this.#key;
  }
}

/** A record; also the context of a request and the attributes of an entity. */
export class CedarRecord {
  readonly kind = "record";
  readonly attributes: ReadonlyMap<string, Value>;
  #key: string | undefined;

  constructor(attributes: ReadonlyMap<string, Value>) {
    this.attributes = attributes;
  }

  /** The same for equal records, and different for all other values. */
  get key(): string {
    this.#key ??= `(${[...this.attributes]
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([name, value]) => framed(name) + framed(valueKey(value)))
      .join("")})`;
    return this.#key;
  }
}

/** A text that two values share exactly if Cedar's `==` holds between them. */
export function valueKey(value: Value): string {
  switch (typeof value) {
    case "string":
      return `"${value}`;
    case "boolean":
      return value ? "true" : "false";
    case "number":
    case "bigint":
      return `#${value}`;
    default:
      return value.kind === "entity" ? `@${value.key}` : value.key;
  }
}

/** Cedar's `==`: false between values of different types, never an error. */
export function valuesEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  return a.kind === b.kind && a.key === b.key;
}

/** Frames a text by its length, so that a row of texts is unambiguous. */
function framed(text: string): string {
  return `${text.length}:${text}`;
}
