import type { Position } from "@bonafide/ledger";

/**
 * The extension of agent SVIDs that says at which place of the ledger they were signed (ADR-0061). Not critical: a
 * verifier that does not know it loses nothing.
 *
 * @spec docs/adr/0061-node-liveness-without-writes.md
 */
export const SIGNED_AT_OID = "2.25.51918810025356029222889791512307983077";

const INTEGER = 0x02;
const SEQUENCE = 0x30;

/** DER of SEQUENCE { INTEGER epoch, INTEGER n }. */
export function encodeSignedAt(position: Position): Uint8Array {
  const content = [...integer(position.epoch), ...integer(position.n)];
  return Uint8Array.from([SEQUENCE, content.length, ...content]);
}

/**
 * Reads {@link encodeSignedAt}; undefined for any other bytes, so that one position has one form. A certificate whose
 * extension cannot be read counts as one without it, which is refused.
 */
export function decodeSignedAt(der: Uint8Array): Position | undefined {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return undefined;
  const epoch = readInteger(der, 2);
  if (epoch === undefined) return undefined;
  const n = readInteger(der, epoch.end);
  if (n === undefined || n.end !== der.length) return undefined;
  return { epoch: epoch.value, n: n.value };
}

function integer(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 256)) {
    bytes.unshift(rest % 256);
    if (rest < 128) break;
  }
  return [INTEGER, bytes.length, ...bytes];
}

function readInteger(
  der: Uint8Array,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  if (der[at] !== INTEGER || length < 1 || length > 7 || end > der.length) return undefined;
  let value = 0;
  for (const byte of der.subarray(at + 2, end)) value = value * 256 + byte;
  const first = der[at + 2] ?? 0;
  const second = der[at + 3] ?? 0;
  const isMinimal = length === 1 || first !== 0 || second >= 128;
  return first < 128 && isMinimal && Number.isSafeInteger(value) ? { value, end } : undefined;
}
