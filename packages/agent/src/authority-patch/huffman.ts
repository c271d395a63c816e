/*
 * HPACK's Huffman code (RFC 7541 appendix B). It is canonical: codes of one length are consecutive, in the order of
 * their symbols, so the lengths of the 257 codes (256 bytes and the end mark) are the whole code.
 */
const LENGTHS = Buffer.from(
  "DRccHBwcHBwcGB4cHB4cHBwcHBwcHB4cHBwcHBwcHBwGCgoMDQYICwoKCAsIBgYGBQUFBgYGBgYGBgcIDwYMCg0GBwcHBwcHBwcHBwcHBwcHBwcH" +
    "BwcHBwgHCA0TDQ4GDwUGBQYFBgYGBQcHBgYGBQYHBgUFBgcHBwcHDwsODRwUFhQUFhYWFxYXFxcXFxgXGBgWFxgXFxcXFRYXFhcXGBYVFBYWFxcV" +
    "FxYWGBUWFxcVFRYVFxYXFxQWFhYXFhYXGhoUExYXFhkaGhobGxoYGRMVGhsbGhsYFRUaGhwbGxsUGBQVFhUVFxYWGRkYGBoXGhsaGhsbGxsbHBsb" +
    "GxsbGh4=",
  "base64",
);

const CODE_BITS_MAX = 30;

interface Code {
  /** Code of each symbol. */
  readonly of: Uint32Array;
  /** Symbols by length of code, then by value. */
  readonly order: readonly number[];
  /** First code of each length, how many there are, and where they begin in `order`. */
  readonly first: Float64Array;
  readonly count: Uint32Array;
  readonly begin: Uint32Array;
}

const CODE = buildCode();

function buildCode(): Code {
  const of = new Uint32Array(LENGTHS.length);
  const first = new Float64Array(CODE_BITS_MAX + 2);
  const count = new Uint32Array(CODE_BITS_MAX + 2);
  const begin = new Uint32Array(CODE_BITS_MAX + 2);
  const order = [...LENGTHS.keys()].toSorted((a, b) => bits(a) - bits(b) || a - b);
  let code = 0;
  let length = 0;
  for (const [at, symbol] of order.entries()) {
    const own = bits(symbol);
    if (own !== length) {
      // Not a shift: the last codes need 30 bits, and the sum on the way may need more than 31.
      code *= 2 ** (own - length);
      first[own] = code;
      begin[own] = at;
      length = own;
    }
    of[symbol] = code++;
    count[own] = (count[own] ?? 0) + 1;
  }
  return { of, order, first, count, begin };
}

/** Length of a symbol's code. */
function bits(symbol: number): number {
  return LENGTHS[symbol] ?? 0;
}

/**
 * Walks a Huffman coded string.
 *
 * @returns false when it is not one: an unknown code, or padding that is not fewer than 8 one bits
 */
export function walkHuffman(
  block: Uint8Array,
  from: number,
  to: number,
  onSymbol: (symbol: number) => void,
): boolean {
  let code = 0;
  let length = 0;
  for (let at = from; at < to; at++) {
    const byte = block[at] ?? 0;
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      if (++length > CODE_BITS_MAX) return false;
      const offset = code - (CODE.first[length] ?? 0);
      if (offset < 0 || offset >= (CODE.count[length] ?? 0)) continue;
      onSymbol(CODE.order[(CODE.begin[length] ?? 0) + offset] ?? 0);
      code = 0;
      length = 0;
    }
  }
  return length < 8 && code === 2 ** length - 1;
}

/** Writes the codes of some bytes from bit 0 of `from` on, padded with ones up to `to`. */
export function writeHuffman(
  block: Uint8Array,
  from: number,
  to: number,
  symbols: Uint8Array | readonly number[],
): void {
  block.fill(0xff, from, to);
  let position = from * 8;
  for (const symbol of symbols) {
    const code = CODE.of[symbol] ?? 0;
    for (let bit = bits(symbol) - 1; bit >= 0; bit--, position++) {
      if (((code >> bit) & 1) === 1) continue;
      const at = position >> 3;
      block[at] = (block[at] ?? 0) & ~(0x80 >> (position & 7));
    }
  }
}

/** Bytes of the Huffman coded form. */
export function huffmanBytes(symbols: Uint8Array): number {
  let sum = 0;
  for (const symbol of symbols) sum += bits(symbol);
  return Math.ceil(sum / 8);
}
