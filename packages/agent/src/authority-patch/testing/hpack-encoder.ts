import { huffmanBytes, writeHuffman } from "../huffman.ts";

/** How one header is written. */
export interface HeaderChoice {
  /** Huffman coded or raw. */
  readonly coded: boolean;
  /** Put into the dynamic table, so that later ones may refer to it. */
  readonly indexed: boolean;
}

const STATIC_NAMES: Readonly<Record<string, number>> = {
  ":authority": 1,
  ":method": 2,
  ":path": 4,
  ":scheme": 6,
};
const STATIC_ENTRIES = 61;
const TABLE_BYTES = 4096;

/** An HPACK encoder with a dynamic table of 4096 octets, for tests: the caller chooses each representation. */
export class HpackEncoder {
  #table: (readonly [name: string, value: string])[] = [];

  /** One header; an index into the table where it holds the very header. */
  encode(name: string, value: string, choice: HeaderChoice): Buffer {
    const at = this.#table.findIndex(([n, v]) => n === name && v === value);
    if (at >= 0) return integer(0x80, 7, STATIC_ENTRIES + 1 + at);
    const known = STATIC_NAMES[name] ?? 0;
    const head = choice.indexed ? integer(0x40, 6, known) : integer(0, 4, known);
    if (choice.indexed) this.#remember(name, value);
    const parts = [head];
    if (known === 0) parts.push(literal(name, choice.coded));
    parts.push(literal(value, choice.coded));
    return Buffer.concat(parts);
  }

  #remember(name: string, value: string): void {
    this.#table.unshift([name, value]);
    let size = 0;
    const end = this.#table.findIndex(([n, v]) => {
      size += 32 + Buffer.byteLength(n) + Buffer.byteLength(v);
      return size > TABLE_BYTES;
    });
    if (end >= 0) this.#table.length = end;
  }
}

function literal(text: string, coded: boolean): Buffer {
  const bytes = Buffer.from(text);
  if (!coded) return Buffer.concat([integer(0, 7, bytes.length), bytes]);
  const body = Buffer.alloc(huffmanBytes(bytes));
  writeHuffman(body, 0, body.length, bytes);
  return Buffer.concat([integer(0x80, 7, body.length), body]);
}

function integer(flags: number, prefixBits: number, value: number): Buffer {
  const prefix = 2 ** prefixBits - 1;
  if (value < prefix) return Buffer.from([flags | value]);
  const bytes = [flags | prefix];
  let rest = value - prefix;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
