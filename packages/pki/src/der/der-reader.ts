import { BonafideError } from "@bonafide/errors";
import { PKI_ERRORS } from "../errors.ts";
import { PKI_LIMITS } from "../limits.ts";
import { TAG } from "./tags.ts";

/** The code under which a reader refuses: what the bytes were meant to be. */
export type MalformedCode = "DER_MALFORMED" | "CERTIFICATE_MALFORMED" | "CSR_MALFORMED";

/** Builds the error of malformed bytes; the caller throws it. */
export function malformed(code: MalformedCode, message: string): BonafideError {
  return new BonafideError(PKI_ERRORS, code, message);
}

/**
 * A cursor over strict DER (X.690 §10): definite, minimal lengths, one-octet tags, nothing left over.
 *
 * A reader covers the content of one constructed element, or a whole input. It never reads outside it, never copies, and
 * its children are bounded in depth. Whoever opened a reader calls {@link DerReader.finish}.
 *
 * Every method throws the reader's code for bytes that are not what it asks for.
 */
export class DerReader {
  readonly bytes: Uint8Array;
  readonly code: MalformedCode;
  /** Where this reader's range begins in `bytes`. */
  readonly start: number;
  /** Just past this reader's range. */
  readonly end: number;
  /** Where the next element begins. */
  offset: number;
  readonly #depth: number;

  constructor(
    bytes: Uint8Array,
    code: MalformedCode = "DER_MALFORMED",
    start = 0,
    end: number = bytes.length,
    depth = 0,
  ) {
    if (depth > PKI_LIMITS.derDepth) throw malformed(code, "nested too deeply");
    this.bytes = bytes;
    this.code = code;
    this.start = start;
    this.offset = start;
    this.end = end;
    this.#depth = depth;
  }

  /** Whether an element follows. */
  get more(): boolean {
    return this.offset < this.end;
  }

  /** The tag of the next element, or -1 at the end. */
  peek(): number {
    return this.offset < this.end ? (this.bytes[this.offset] ?? -1) : -1;
  }

  /** Checks that nothing is left. */
  finish(): void {
    if (this.offset !== this.end) throw this.fail("trailing bytes");
  }

  /** The error of this reader, to be thrown. */
  fail(message: string): BonafideError {
    return malformed(this.code, `${message} at byte ${this.offset}`);
  }

  /** Opens the next element and steps over it. */
  enter(tag: number): DerReader {
    const content = this.#header(tag);
    const child = new DerReader(this.bytes, this.code, content, this.#contentEnd, this.#depth + 1);
    this.offset = this.#contentEnd;
    return child;
  }

  /** Content octets of the next element. */
  content(tag: number): Uint8Array {
    const content = this.#header(tag);
    this.offset = this.#contentEnd;
    return this.bytes.subarray(content, this.#contentEnd);
  }

  /** The whole next element, header included. */
  element(tag: number): Uint8Array {
    const start = this.offset;
    this.#header(tag);
    this.offset = this.#contentEnd;
    return this.bytes.subarray(start, this.#contentEnd);
  }

  /** BOOLEAN, only where it says TRUE: a false that is the default is not written in DER. */
  true(): true {
    const content = this.content(TAG.boolean);
    if (content.length !== 1 || content[0] !== 0xff) throw this.fail("boolean is not TRUE");
    return true;
  }

  /** INTEGER, at least 0 and minimal; its octets, with the sign octet if it has one. */
  unsigned(octetsMax: number): Uint8Array {
    const content = this.content(TAG.integer);
    const [first, second] = content;
    if (first === undefined) throw this.fail("empty integer");
    if (first & 0x80) throw this.fail("negative integer");
    if (first === 0 && second !== undefined && second < 0x80)
      throw this.fail("integer not minimal");
    if (content.length > octetsMax) throw this.fail("integer too large");
    return content;
  }

  /** INTEGER 0..127. */
  smallUnsigned(): number {
    return this.unsigned(1)[0] ?? 0;
  }

  /** BIT STRING of whole octets. */
  octetBits(): Uint8Array {
    const content = this.content(TAG.bitString);
    if (content[0] !== 0) throw this.fail("bit string is not of whole octets");
    return content.subarray(1);
  }

  /** BIT STRING of named bits, as a mask: bit 0 is 1 << 0. At most 24 bits. */
  namedBits(): number {
    const content = this.content(TAG.bitString);
    const unused = content[0];
    if (unused === undefined || unused > 7) throw this.fail("bit string");
    const octets = content.length - 1;
    if (octets > 3 || (octets === 0 && unused > 0)) throw this.fail("bit string length");
    const last = content[octets] ?? 0;
    if (octets > 0 && (last & ((1 << unused) - 1)) !== 0) throw this.fail("padding bits are set");
    let mask = 0;
    for (let bit = 0; bit < octets * 8; bit++) {
      if ((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) mask |= 1 << bit;
    }
    return mask;
  }

  #contentEnd = 0;

  /** Reads a header; returns where the content begins, and leaves its end in `#contentEnd`. */
  #header(tag: number): number {
    const { bytes, end } = this;
    let at = this.offset;
    if (end - at < 2) throw this.fail("cut short");
    const found = bytes[at++] ?? 0;
    if ((found & 0x1f) === 0x1f) throw this.fail("tag of several octets");
    if (found !== tag) throw this.fail(`tag ${found} where ${tag} was due`);
    let length = bytes[at++] ?? 0;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 3 || at + octets > end) throw this.fail("length");
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at++] ?? 0);
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) throw this.fail("length not minimal");
    }
    if (length > end - at) throw this.fail("beyond the end");
    this.#contentEnd = at + length;
    return at;
  }
}
