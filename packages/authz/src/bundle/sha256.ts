import { formatHex } from "../core/bundle/hex.ts";

/** SHA-256 as hex, by the platform's WebCrypto: Node and browsers have the same. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return formatHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
