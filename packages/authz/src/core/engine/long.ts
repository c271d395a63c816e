import { FAULTS } from "./fault.ts";

/**
 * A 64-bit integer: a number within the safe range, a bigint beyond it, never the other way round. So two are equal
 * exactly if `===` says so.
 */
export type Long = number | bigint;

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** Brings an exact integer into the form of a {@link Long}; `undefined` beyond 64 bits. */
export function longOf(exact: bigint): Long | undefined {
  if (exact > MAX || exact < MIN) return undefined;
  const near = Number(exact);
  return Number.isSafeInteger(near) ? near : exact;
}

/** `a + b`, an overflow fault beyond 64 bits. */
export function addLongs(a: Long, b: Long): Long {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return checked(BigInt(a) + BigInt(b));
}

/** `a - b`, an overflow fault beyond 64 bits. */
export function subtractLongs(a: Long, b: Long): Long {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return checked(BigInt(a) - BigInt(b));
}

/** `a * b`, an overflow fault beyond 64 bits. */
export function multiplyLongs(a: Long, b: Long): Long {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    // A product that was rounded is never within the safe range. Adding 0 makes -0 a plain 0.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return checked(BigInt(a) * BigInt(b));
}

/** `-a`, an overflow fault for the least integer. */
export function negateLong(a: Long): Long {
  return subtractLongs(0, a);
}

/** `a / b` towards zero. */
export function divideLongs(a: Long, b: number): Long {
  if (typeof a === "number") return Math.trunc(a / b) + 0;
  return checked(a / BigInt(b));
}

/** The rest of `a / b` that is never negative; `b` is positive. */
export function restOfLong(a: Long, b: number): number {
  const rest = typeof a === "number" ? a % b : Number(a % BigInt(b));
  return rest < 0 ? rest + b : rest + 0;
}

function checked(exact: bigint): Long {
  const long = longOf(exact);
  if (long === undefined) throw FAULTS.overflow;
  return long;
}
