import { randomBytes } from "node:crypto";
import { Recovery } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { RpcError } from "@bonafide/rpc";
import type { SocketClient } from "./socket-client.ts";

const NONCE_BYTES = 32;

/**
 * The trust domain's recovery key, raw, from the server's private socket.
 *
 * @returns undefined: the server has none, or is on hold.
 */
export async function fetchRecoveryKey(
  server: SocketClient,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Uint8Array | undefined> {
  try {
    const request = { nonce: randomBytes(NONCE_BYTES) };
    return (await server.client(Recovery).fetchSignedBundle(request, options)).recoveryKey;
  } catch (error) {
    if (error instanceof RpcError && error.status === "unimplemented") return undefined;
    throw error;
  }
}
