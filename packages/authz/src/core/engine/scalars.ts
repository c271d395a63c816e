import { divideLongs, type Long, longOf, restOfLong, subtractLongs } from "./long.ts";

/** Cedar's `decimal`: a 64-bit count of ten-thousandths. */
export class Decimal {
  readonly kind = "decimal";
  readonly tenThousandths: Long;
  readonly key: string;

  constructor(tenThousandths: Long) {
    this.tenThousandths = tenThousandths;
    this.key = `d${tenThousandths}`;
  }
}

/** Cedar's `datetime`: 64-bit milliseconds since 1970 in UTC. */
export class Datetime {
  readonly kind = "datetime";
  readonly epochMs: Long;
  readonly key: string;

  constructor(epochMs: Long) {
    this.epochMs = epochMs;
    this.key = `t${epochMs}`;
  }
}

/** Cedar's `duration`: 64-bit milliseconds. */
export class Duration {
  readonly kind = "duration";
  readonly ms: Long;
  readonly key: string;

  constructor(ms: Long) {
    this.ms = ms;
    this.key = `p${ms}`;
  }
}

const DAY_MS = 86_400_000;
const DECIMAL = /^(-?)([0-9]+)\.([0-9]{1,4})$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})/;
const TIME = /^T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2}))$/;
const DURATION = /^(-?)(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/;
/** No number of 64 bits needs more digits, but for leading zeros, and those need not be endless. */
const DIGITS_MAX = 400;

/** Reads `-12.34`; `undefined` if it is no decimal of at most four places within 64 bits. */
export function parseDecimal(text: string): Decimal | undefined {
  const [, minus, whole, places] = DECIMAL.exec(text) ?? [];
  if (whole === undefined || places === undefined || text.length > DIGITS_MAX) return undefined;
  const exact = BigInt(whole) * 10_000n + BigInt(places.padEnd(4, "0"));
  const long = longOf(minus === "-" ? -exact : exact);
  return long === undefined ? undefined : new Decimal(long);
}

/** Reads a date, or a date with a time and `Z` or an offset; `undefined` if it is neither. */
export function parseDatetime(text: string): Datetime | undefined {
  const date = DATE.exec(text);
  if (date === null) return undefined;
  const [year = 0, month = 0, day = 0] = date.slice(1).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  const midnightMs = daysSince1970(year, month, day) * DAY_MS;
  if (text.length === 10) return new Datetime(midnightMs);
  const time = TIME.exec(text.slice(10));
  if (time === null) return undefined;
  const [hour = 0, minute = 0, second = 0, ms = 0] = time.slice(1, 5).map((t) => Number(t ?? 0));
  const [offsetHours = 0, offsetMinutes = 0] = time.slice(6).map((t) => Number(t ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000;
  const localMs = midnightMs + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  return new Datetime(time[5] === "-" ? localMs + offsetMs : localMs - offsetMs);
}

/** Reads `1d2h3m4s5ms`, units in this order and at least one; `undefined` if it is none. */
export function parseDuration(text: string): Duration | undefined {
  const match = text.length > DIGITS_MAX ? null : DURATION.exec(text);
  if (match === null || text === "" || text === "-") return undefined;
  const units = [86_400_000n, 3_600_000n, 60_000n, 1000n, 1n];
  let exact = 0n;
  for (const [index, unit] of units.entries()) exact += BigInt(match[index + 2] ?? 0) * unit;
  const long = longOf(match[1] === "-" ? -exact : exact);
  return long === undefined ? undefined : new Duration(long);
}

/** The midnight at or before an instant; an overflow fault at the very beginning of time. */
export function dateOf({ epochMs }: Datetime): Datetime {
  return new Datetime(subtractLongs(epochMs, restOfLong(epochMs, DAY_MS)));
}

/** How long after midnight an instant is. */
export function timeOf({ epochMs }: Datetime): Duration {
  return new Duration(restOfLong(epochMs, DAY_MS));
}

/** A duration in whole units of `unitMs`, towards zero. */
export function wholeUnits({ ms }: Duration, unitMs: number): Long {
  return divideLongs(ms, unitMs);
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Days of the proleptic Gregorian calendar, counted in years that begin in March. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const marchMonth = (month + 9) % 12;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leaps + dayOfYear - 719_468;
}
