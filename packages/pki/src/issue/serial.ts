import { randomFillSync } from "node:crypto";
import { toHex } from "../der/bytes.ts";
import { invalid } from "./write-extensions.ts";

const SERIAL_OCTETS = 16;
const SERIAL_MAX = 2n ** 128n - 1n;
/** Randomness is drawn for 256 serial numbers at once: one call each would cost as much as a tenth of a signature. */
const pool = new Uint8Array(SERIAL_OCTETS * 256);
let used = pool.length;

/** Content octets of a random serial number: 127 bits, never 0, minimal. */
export function randomSerialOctets(): Uint8Array {
  for (;;) {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const octets = pool.slice(used, used + SERIAL_OCTETS);
    used += SERIAL_OCTETS;
    octets[0] = (octets[0] ?? 0) & 0x7f;
    const minimal = withoutLeadingZeros(octets);
    if (minimal.length > 1 || minimal[0] !== 0) return minimal;
  }
}

function withoutLeadingZeros(octets: Uint8Array): Uint8Array {
  let at = 0;
  while (at < octets.length - 1 && octets[at] === 0 && (octets[at + 1] ?? 0) < 0x80) at++;
  return octets.subarray(at);
}

/**
 * Content octets of a given serial number; 2^127 and above take 17.
 *
 * @throws TEMPLATE_INVALID  not 1..2^128-1
 */
export function serialOctets(serial: bigint): Uint8Array {
  if (serial < 1n || serial > SERIAL_MAX) throw invalid("serial number out of range");
  const hex = serial.toString(16);
  const octets = Buffer.from(`00${hex.length % 2 === 1 ? "0" : ""}${hex}`, "hex");
  return withoutLeadingZeros(new Uint8Array(octets));
}

/** A random serial number of 127 bits, never 0; for a template whose subject repeats it. */
export function randomSerial(): bigint {
  return serialNumber(randomSerialOctets());
}

/** The number that content octets stand for. */
export function serialNumber(octets: Uint8Array): bigint {
  return BigInt(`0x${toHex(octets)}`);
}
