import type { EntitySource } from "./entities.ts";
import { FAULTS } from "./fault.ts";
import { addLongs, type Long, multiplyLongs, negateLong, subtractLongs } from "./long.ts";
import { Datetime, Duration } from "./scalars.ts";
import { CedarRecord, CedarSet, EntityUid, type Value, valueKey } from "./values.ts";

/** The boolean that a value is, or a type fault. */
export function asBoolean(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw FAULTS.type;
}

/** `!` */
export function not(value: Value): boolean {
  return !asBoolean(value);
}

/** Unary minus. */
export function negate(value: Value): Long {
  return negateLong(asLong(value));
}

/** `+` */
export function add(a: Value, b: Value): Long {
  return addLongs(asLong(a), asLong(b));
}

/** Binary minus. */
export function subtract(a: Value, b: Value): Long {
  return subtractLongs(asLong(a), asLong(b));
}

/** `*` */
export function multiply(a: Value, b: Value): Long {
  return multiplyLongs(asLong(a), asLong(b));
}

/** `<` of two integers, two instants or two durations. */
export function less(a: Value, b: Value): boolean {
  const [left, right] = comparable(a, b);
  return left < right;
}

/** `<=` of two integers, two instants or two durations. */
export function lessOrEqual(a: Value, b: Value): boolean {
  const [left, right] = comparable(a, b);
  return left <= right;
}

/** `.isEmpty()` */
export function isEmpty(set: Value): boolean {
  return asSet(set).members.size === 0;
}

/** `.contains()` */
export function contains(set: Value, member: Value): boolean {
  return asSet(set).members.has(valueKey(member));
}

/** `.containsAll()` */
export function containsAll(set: Value, others: Value): boolean {
  const { members } = asSet(set);
  for (const key of asSet(others).members.keys()) if (!members.has(key)) return false;
  return true;
}

/** `.containsAny()` */
export function containsAny(set: Value, others: Value): boolean {
  const { members } = asSet(set);
  for (const key of asSet(others).members.keys()) if (members.has(key)) return true;
  return false;
}

/** `in`; the right side is an entity or a set of nothing but entities. */
export function isIn(entities: EntitySource, value: Value, groups: Value): boolean {
  const { key } = asEntity(value);
  if (groups instanceof EntityUid) {
    return key === groups.key || entities.find(key)?.ancestors.has(groups.key) === true;
  }
  if (!(groups instanceof CedarSet)) throw FAULTS.type;
  const keys = [...groups.members.values()].map((group) => asEntity(group).key);
  const ancestors = entities.find(key)?.ancestors;
  return keys.some((group) => group === key || ancestors?.has(group) === true);
}

/** `.hasTag()`; false for an entity that is not known. */
export function hasTag(entities: EntitySource, holder: Value, name: Value): boolean {
  const { key } = asEntity(holder);
  const tag = asString(name);
  return entities.find(key)?.tags.has(tag) === true;
}

/** `.getTag()` */
export function tagOf(entities: EntitySource, holder: Value, name: Value): Value {
  const { key } = asEntity(holder);
  const tag = asString(name);
  const entity = entities.find(key);
  if (entity === undefined) throw FAULTS["entity-missing"];
  const value = entity.tags.get(tag);
  if (value === undefined) throw FAULTS["tag-missing"];
  return value;
}

/** `has`; false for an entity that is not known. */
export function hasAttribute(entities: EntitySource, holder: Value, name: string): boolean {
  if (holder instanceof CedarRecord) return holder.attributes.has(name);
  return entities.find(asEntity(holder).key)?.attributes.has(name) === true;
}

/** `.` */
export function attributeOf(entities: EntitySource, holder: Value, name: string): Value {
  const attributes =
    holder instanceof CedarRecord
      ? holder.attributes
      : entities.find(asEntity(holder).key)?.attributes;
  if (attributes === undefined) throw FAULTS["entity-missing"];
  const value = attributes.get(name);
  if (value === undefined) throw FAULTS["attribute-missing"];
  return value;
}

function comparable(a: Value, b: Value): readonly [Long, Long] {
  if (a instanceof Datetime && b instanceof Datetime) return [a.epochMs, b.epochMs];
  if (a instanceof Duration && b instanceof Duration) return [a.ms, b.ms];
  return [asLong(a), asLong(b)];
}

function asLong(value: Value): Long {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw FAULTS.type;
}

function asString(value: Value): string {
  if (typeof value === "string") return value;
  throw FAULTS.type;
}

function asSet(value: Value): CedarSet {
  if (value instanceof CedarSet) return value;
  throw FAULTS.type;
}

function asEntity(value: Value): EntityUid {
  if (value instanceof EntityUid) return value;
  throw FAULTS.type;
}
