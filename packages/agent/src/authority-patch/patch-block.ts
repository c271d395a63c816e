import { huffmanBytes, walkHuffman, writeHuffman } from "./huffman.ts";

/** Bytes that nghttp2 takes in an `:authority`; all others make it reset the request. */
const LEGAL = new Set(
  Buffer.from("!$%&'()*+,-.0123456789:;=ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~"),
);

const NAME = Buffer.from(":authority");
const NAME_CODED = Buffer.alloc(huffmanBytes(NAME));
writeHuffman(NAME_CODED, 0, NAME_CODED.length, NAME);

/** Index of `:authority` without a value in HPACK's static table. */
const NAME_INDEX = 1;

const HYPHEN = 0x2d;

/** Legal symbols by how many bits their code is longer than the five of `0`. */
const LONGER: readonly (readonly [bits: number, symbol: number])[] = [
  [8, 0x24],
  [6, 0x2b],
  [5, 0x21],
  [3, 0x26],
  [2, 0x3a],
  [1, HYPHEN],
];
const SHORTEST = 0x30;
const SHORTEST_BITS = 5;

/** A string literal of a header block: where its bytes are, and how they are coded. */
interface Literal {
  readonly coded: boolean;
  readonly from: number;
  readonly to: number;
}

/**
 * Makes the illegal `:authority` values of one complete header block legal, in place: same decoded and same encoded
 * length, so that the HPACK tables of both ends stay equal and no frame changes its size. A block that is malformed is
 * patched up to the fault and left for the HTTP/2 layer to judge.
 *
 * @returns How many values were patched.
 * @spec RFC 7541 §6
 */
export function patchHeaderBlock(block: Uint8Array): number {
  const cursor = new Cursor(block);
  let patched = 0;
  while (!cursor.atEnd()) {
    const first = cursor.peek();
    if ((first & 0x80) !== 0) {
      if (cursor.integer(7) === undefined) return patched;
    } else if ((first & 0xe0) === 0x20) {
      if (cursor.integer(5) === undefined) return patched;
    } else {
      const index = cursor.integer((first & 0x40) === 0 ? 4 : 6);
      if (index === undefined) return patched;
      let isAuthority = index === NAME_INDEX;
      if (index === 0) {
        const name = cursor.literal();
        if (name === undefined) return patched;
        isAuthority = isAuthorityName(block, name);
      }
      const value = cursor.literal();
      if (value === undefined) return patched;
      if (isAuthority && patchValue(block, value)) patched++;
    }
  }
  return patched;
}

function isAuthorityName(block: Uint8Array, { coded, from, to }: Literal): boolean {
  return (coded ? NAME_CODED : NAME).equals(block.subarray(from, to));
}

function patchValue(block: Uint8Array, { coded, from, to }: Literal): boolean {
  if (coded) return patchCodedValue(block, from, to);
  let patched = false;
  for (let at = from; at < to; at++) {
    if (LEGAL.has(block[at] ?? 0)) continue;
    block[at] = HYPHEN;
    patched = true;
  }
  return patched;
}

/** Writes as many legal symbols as there were, whose codes fill the same bytes. A legal value is left alone. */
function patchCodedValue(block: Uint8Array, from: number, to: number): boolean {
  let count = 0;
  let illegal = false;
  const known = walkHuffman(block, from, to, (symbol) => {
    count++;
    if (!LEGAL.has(symbol)) illegal = true;
  });
  if (!known || !illegal) return false;
  // Up to 7 bits may stay as padding; more have to go into longer symbols.
  let spare = (to - from) * 8 - SHORTEST_BITS * count;
  const symbols: number[] = [];
  for (let n = 0; n < count; n++) {
    const room = spare;
    const longer = room > 7 ? LONGER.find(([bits]) => bits <= room) : undefined;
    symbols.push(longer?.[1] ?? SHORTEST);
    spare -= longer?.[0] ?? 0;
  }
  if (spare < 0 || spare > 7) return false;
  writeHuffman(block, from, to, symbols);
  return true;
}

/** Reads a header block; every method gives undefined instead of reading past its end. */
class Cursor {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  atEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    return this.#block[this.#at] ?? 0;
  }

  /** An integer with a prefix of so many bits, below 2^28. */
  integer(prefixBits: number): number | undefined {
    const prefix = (1 << prefixBits) - 1;
    let value = this.peek() & prefix;
    this.#at++;
    if (value < prefix) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.atEnd()) return undefined;
      const byte = this.peek();
      this.#at++;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  }

  literal(): Literal | undefined {
    if (this.atEnd()) return undefined;
    const coded = (this.peek() & 0x80) !== 0;
    const size = this.integer(7);
    const from = this.#at;
    if (size === undefined || from + size > this.#block.length) return undefined;
    this.#at = from + size;
    return { coded, from, to: this.#at };
  }
}
