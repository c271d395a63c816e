import { BonafideError } from "@bonafide/errors";
import { PKI_ERRORS } from "../errors.ts";
import { latin1 } from "./bytes.ts";
import type { DerReader } from "./der-reader.ts";
import { TAG } from "./tags.ts";

const YEAR_MIN = 1950;
const UTC_TIME_YEAR_MAX = 2049;

/**
 * Reads a Time (RFC 5280 §4.1.2.5): UTCTime, or GeneralizedTime without fractions; in Zulu, with seconds.
 *
 * @returns Epoch ms.
 */
export function readTime(reader: DerReader): number {
  const short = reader.peek() === TAG.utcTime;
  const text = latin1(reader.content(short ? TAG.utcTime : TAG.generalizedTime));
  if (text.length !== (short ? 13 : 15) || !/^[0-9]+Z$/.test(text)) throw reader.fail("time");
  const digits = short ? `${text < "5" ? "20" : "19"}${text}` : text;
  const at = (from: number): number => Number(digits.slice(from, from + 2));
  const year = Number(digits.slice(0, 4));
  const month = at(4) - 1;
  const day = at(6);
  const ms = Date.UTC(year, month, day, at(8), at(10), at(12));
  const date = new Date(ms);
  // Date.UTC rolls over what does not exist, such as 30 February; the parts then differ.
  const exists =
    year >= YEAR_MIN &&
    date.getUTCMonth() === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === at(8) &&
    date.getUTCMinutes() === at(10) &&
    date.getUTCSeconds() === at(12);
  if (!exists) throw reader.fail("no such time");
  return ms;
}

/**
 * DER of a Time: UTCTime through 2049, GeneralizedTime from 2050.
 *
 * @param ms  Epoch ms, cut to the second.
 * @throws TEMPLATE_INVALID  before 1950, after 9999, or not a number
 */
export function encodeTime(ms: number): Uint8Array {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  if (!(year >= YEAR_MIN && year <= 9999)) {
    throw new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", "time out of range");
  }
  const digits = date
    .toISOString()
    .replace(/\.[0-9]+Z$/, "")
    .replaceAll(/[-:T]/g, "");
  const short = year <= UTC_TIME_YEAR_MAX;
  const text = Buffer.from(`${short ? digits.slice(2) : digits}Z`, "latin1");
  return Uint8Array.of(short ? TAG.utcTime : TAG.generalizedTime, text.length, ...text);
}
