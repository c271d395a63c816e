import { BonafideError } from "@bonafide/errors";
import { PKI_ERRORS } from "../errors.ts";
import { TAG } from "./tags.ts";

const SIZE_MAX = 1_048_576;

/**
 * Writes DER from the back to the front into one buffer that is used again.
 *
 * Back to front, a length is known when its header is due, so nothing is measured or copied twice. Whoever writes a
 * SEQUENCE of a, b and c writes c, b, a and then the header, with the mark taken before c:
 * `const end = w.mark(); w.raw(c); w.raw(b); w.raw(a); w.wrap(TAG.sequence, end);`
 */
export class DerWriter {
  #buffer: Uint8Array;
  #at: number;

  constructor(sizeBytes = 4096) {
    this.#buffer = new Uint8Array(sizeBytes);
    this.#at = sizeBytes;
  }

  /** Begins anew; what was written before is gone. */
  reset(): void {
    this.#at = this.#buffer.length;
  }

  /** The place reached, counted from the back; for {@link wrap} and {@link since}. */
  mark(): number {
    return this.#buffer.length - this.#at;
  }

  /** Puts bytes in front. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** Puts one octet in front. */
  octet(value: number): void {
    this.#room(1);
    this.#buffer[--this.#at] = value;
  }

  /** Puts a header in front of everything written since the mark. */
  wrap(tag: number, end: number): void {
    this.#room(5);
    const buffer = this.#buffer;
    const length = this.mark() - end;
    let at = this.#at;
    if (length < 0x80) buffer[--at] = length;
    else {
      let octets = 0;
      for (let rest = length; rest > 0; rest >>>= 8) {
        buffer[--at] = rest & 0xff;
        octets++;
      }
      buffer[--at] = 0x80 | octets;
    }
    buffer[--at] = tag;
    this.#at = at;
  }

  /** Puts a primitive element in front. */
  primitive(tag: number, content: Uint8Array): void {
    const end = this.mark();
    this.raw(content);
    this.wrap(tag, end);
  }

  /** Puts a primitive element of ASCII text in front. */
  ascii(tag: number, text: string): void {
    this.#room(text.length);
    const end = this.mark();
    this.#at -= text.length;
    for (let i = 0; i < text.length; i++) this.#buffer[this.#at + i] = text.charCodeAt(i);
    this.wrap(tag, end);
  }

  /** Puts a BIT STRING of whole octets in front. */
  bitString(octets: Uint8Array): void {
    const end = this.mark();
    this.raw(octets);
    this.octet(0);
    this.wrap(TAG.bitString, end);
  }

  /** What was written since the mark, as a view that the next write may overwrite. */
  since(end: number): Uint8Array {
    return this.#buffer.subarray(this.#at, this.#buffer.length - end);
  }

  /** A copy of everything written. */
  take(): Uint8Array {
    return this.#buffer.slice(this.#at);
  }

  #room(octets: number): void {
    if (this.#at >= octets) return;
    const used = this.mark();
    const size = Math.max(this.#buffer.length * 2, used + octets);
    if (size > SIZE_MAX) throw new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", "too large");
    const larger = new Uint8Array(size);
    larger.set(this.#buffer.subarray(this.#at), size - used);
    this.#buffer = larger;
    this.#at = size - used;
  }
}

/** DER of one element around the given parts. For what is encoded once; the hot path uses {@link DerWriter}. */
export function encode(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const writer = new DerWriter(256);
  for (const part of parts.toReversed()) writer.raw(part);
  writer.wrap(tag, 0);
  return writer.take();
}
