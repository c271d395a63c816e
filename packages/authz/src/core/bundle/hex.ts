const PAIR = /[0-9a-f]{2}/g;

/** Bytes as lower-case hex. */
export function formatHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Reads lower-case hex of this many bytes; `undefined` if it is anything else. */
export function parseHex(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  if (text.length !== length * 2 || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from(text.match(PAIR) ?? [], (pair) => Number.parseInt(pair, 16));
}
