import { patchHeaderBlock } from "./patch-block.ts";

/** Bytes of the client's connection preface, before the first frame. */
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
/** Largest frame that an unconfigured HTTP/2 layer takes. */
const FRAME_BYTES_MAX = 16_384;
/** Most bytes of one header block that are held back. */
const HELD_BYTES_MAX = 65_536;

const HEADERS = 1;
const CONTINUATION = 9;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;

interface Frame {
  readonly type: number;
  readonly flags: number;
  /** Where its payload begins and ends. */
  readonly from: number;
  readonly to: number;
}

interface Part {
  readonly from: number;
  readonly to: number;
}

/**
 * Patches the client's half of one HTTP/2 connection, chunk by chunk. What goes out has the bytes and the order of
 * what came in, but for illegal `:authority` values; only an incomplete header block is held back, at most 64 KiB.
 * At the first thing it does not understand it lets everything pass: the HTTP/2 layer judges, not this.
 *
 * Not a security boundary: nobody may decide by `:authority`.
 *
 * @spec RFC 9113 §4.1, §6.2, §6.10
 */
export class AuthorityPatcher {
  #held: Buffer | undefined;
  #skip = PREFACE_BYTES;
  #passive = false;
  #patched = 0;

  /** Values patched so far. */
  get patched(): number {
    return this.#patched;
  }

  /** Takes a chunk, which it may write to, and gives what may go on; undefined while all is held back. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#passive) return chunk;
    if (this.#held === undefined && this.#skip >= chunk.length) {
      this.#skip -= chunk.length;
      return chunk;
    }
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    let at = this.#skip;
    this.#skip = 0;
    while (at < bytes.length) {
      const frame = frameAt(bytes, at);
      if (frame === undefined) break;
      if (frame.type === HEADERS) {
        const end = frame.to - frame.from > FRAME_BYTES_MAX ? "unfit" : this.#patchAt(bytes, at);
        if (end === "unfit") {
          this.#passive = true;
          return bytes;
        }
        if (end === "incomplete") break;
        at = end;
      } else {
        at = frame.to;
      }
    }
    if (at >= bytes.length) {
      this.#skip = at - bytes.length;
      return bytes;
    }
    if (bytes.length - at > HELD_BYTES_MAX) {
      this.#passive = true;
      return bytes;
    }
    this.#held = Buffer.from(bytes.subarray(at));
    return at === 0 ? undefined : bytes.subarray(0, at);
  }

  /** Patches the block whose HEADERS frame begins here; gives the position after its last frame. */
  #patchAt(bytes: Buffer, start: number): number | "incomplete" | "unfit" {
    const parts: Part[] = [];
    for (let at = start; ;) {
      const frame = frameAt(bytes, at);
      if (frame === undefined) return "incomplete";
      if (at !== start && frame.type !== CONTINUATION) return "unfit";
      if (frame.to > bytes.length) return "incomplete";
      const part = at === start ? withoutPadding(bytes, frame) : frame;
      if (part === undefined) return "unfit";
      parts.push(part);
      at = frame.to;
      if ((frame.flags & END_HEADERS) === 0) continue;
      this.#patched += patchParts(bytes, parts);
      return at;
    }
  }
}

function frameAt(bytes: Buffer, at: number): Frame | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const from = at + FRAME_HEADER_BYTES;
  return {
    type: bytes.readUInt8(at + 3),
    flags: bytes.readUInt8(at + 4),
    from,
    to: from + bytes.readUIntBE(at, 3),
  };
}

/** The fragment of a HEADERS frame; undefined when its padding is longer than itself. */
function withoutPadding(bytes: Buffer, { flags, from, to }: Frame): Part | undefined {
  let begin = from;
  let end = to;
  if ((flags & PADDED) !== 0) {
    if (begin >= to) return undefined;
    end -= bytes.readUInt8(begin);
    begin++;
  }
  if ((flags & PRIORITY) !== 0) begin += 5;
  return begin > end ? undefined : { from: begin, to: end };
}

/** A block that lies in several frames is joined, patched and laid back: its length is the same. */
function patchParts(bytes: Buffer, parts: readonly Part[]): number {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    return patchHeaderBlock(bytes.subarray(only.from, only.to));
  }
  const whole = Buffer.concat(parts.map(({ from, to }) => bytes.subarray(from, to)));
  const patched = patchHeaderBlock(whole);
  let offset = 0;
  for (const { from, to } of parts) {
    whole.copy(bytes, from, offset, offset + to - from);
    offset += to - from;
  }
  return patched;
}
