/** One element of DER, as loosely as an attacker would have it: nothing is checked but that lengths fit. */
export interface DerNode {
  readonly tag: number;
  /** Children where the content is elements itself, or the plain octets. */
  readonly content: readonly DerNode[] | Uint8Array;
  /** Writes the length in one octet more than is needed. */
  readonly isLengthLong?: boolean;
}

const CONSTRUCTED = 0x20;
const OCTET_STRING = 4;

/** Reads elements, going into octet strings that hold elements (extensions do). @returns undefined: not elements */
export function readDer(bytes: Uint8Array): readonly DerNode[] | undefined {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0x80;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || octets > 3) return undefined;
    let length = octets === 0 ? first : 0;
    for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
    const from = at + 2 + octets;
    if (from + length > bytes.length) return undefined;
    nodes.push({ tag, content: readContent(tag, bytes.subarray(from, from + length)) });
    at = from + length;
  }
  return nodes;
}

function readContent(tag: number, content: Uint8Array): DerNode["content"] {
  const mayNest = (tag & CONSTRUCTED) !== 0 || tag === OCTET_STRING;
  const children = mayNest && content.length > 0 ? readDer(content) : undefined;
  return children ?? new Uint8Array(content);
}

/** Writes an element. */
export function writeDer(node: DerNode): Uint8Array {
  const content =
    node.content instanceof Uint8Array
      ? node.content
      : new Uint8Array(Buffer.concat(node.content.map(writeDer)));
  const length: number[] = [];
  for (let left = content.length; left > 0; left = Math.floor(left / 256)) {
    length.unshift(left & 0xff);
  }
  if (node.isLengthLong === true) length.unshift(0);
  const isShort = content.length < 0x80 && node.isLengthLong !== true;
  const header = isShort ? [node.tag, content.length] : [node.tag, 0x80 | length.length, ...length];
  return new Uint8Array(Buffer.concat([Uint8Array.from(header), content]));
}
