import { BonafideError } from "@bonafide/errors";
import type { Position as WirePosition } from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import { LEDGER_ERRORS } from "../errors.ts";
import type { AnyObject } from "../objects.ts";
import type { Position } from "../state-name.ts";

/** Both directions of one kind's bytes. */
export interface Codec<T extends AnyObject> {
  readonly encode: (object: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array, place: { readonly epoch: number }) => T;
}

/** A 64-bit field as a number. @throws BODY_MALFORMED  not exact in a double */
export function toSafeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed("a number is out of range");
  return number;
}

/** A place as its message holds it. */
export function fromPosition(position: Position): { epoch: number; n: bigint } {
  return { epoch: position.epoch, n: BigInt(position.n) };
}

/** Reads {@link fromPosition}. */
export function toPosition(wire: WirePosition): Position {
  return { epoch: wire.epoch, n: toSafeNumber(wire.n) };
}

/** The word for an enum's number. @throws BODY_MALFORMED  an unknown number: fail closed */
export function wordOf<W extends string>(words: Readonly<Record<W, number>>, number: number): W {
  let word: W;
  for (word in words) if (words[word] === number) return word;
  throw malformed("an enum value is not known to this version");
}

/** A body that no version of this program wrote. */
export function malformed(why: string): BonafideError {
  return new BonafideError(LEDGER_ERRORS, "BODY_MALFORMED", why);
}
