import type { TLSSocket } from "node:tls";

const VALUE_BYTES = 32;

/**
 * A value that only the two ends of this very TLS connection know, 32 bytes for each label.
 *
 * Without a context, which TLS 1.2 tells apart from an empty one; Node's types know only the form with one.
 *
 * @spec RFC 5705 §4, RFC 8446 §7.5
 */
export function exporterValue(socket: TLSSocket, label: string): Uint8Array {
  const exporter: unknown = Reflect.get(socket, "exportKeyingMaterial");
  if (typeof exporter !== "function") throw new TypeError("a socket that exports nothing");
  const value: unknown = Reflect.apply(exporter, socket, [VALUE_BYTES, label]);
  if (!(value instanceof Uint8Array)) throw new TypeError("a channel that exports nothing");
  return new Uint8Array(value);
}
