import { once } from "node:events";
import { createServer } from "node:net";
import { BonafideError } from "@bonafide/errors";
import { type CanSignInProcess, canSignInProcess, type KeyManager } from "@bonafide/plugin-api";
import { checkSocketPath } from "@bonafide/unix-peer";
import { SERVER_ERRORS } from "./errors.ts";
import type { CheckedOptions } from "./server-options.ts";

/**
 * Finds what would keep a server from starting, as far as it can be found without the ledger: opening that may write to
 * it, and a start that fails should leave nothing behind.
 *
 * @returns The keys, which can sign in this process.
 * @throws SERVER_OPTIONS_INVALID  they cannot
 * @throws SOCKET_PATH_*, what the key manager throws, and what the system says of the address
 */
export async function checkStart(
  { host, port, adminSocketPath }: Pick<CheckedOptions, "host" | "port" | "adminSocketPath">,
  keys: KeyManager,
): Promise<KeyManager & CanSignInProcess> {
  if (!canSignInProcess(keys)) {
    throw new BonafideError(
      SERVER_ERRORS,
      "SERVER_OPTIONS_INVALID",
      `key manager ${keys.name} cannot sign in this process`,
    );
  }
  checkSocketPath(adminSocketPath);
  await keys.list();
  await tryToListen(host, port);
  return keys;
}

/** Takes the address and gives it back. Somebody else may still take it before the port is opened. */
async function tryToListen(host: string, port: number): Promise<void> {
  const listener = createServer((socket) => socket.destroy());
  listener.listen({ host, port });
  await once(listener, "listening");
  listener.close();
  await once(listener, "close");
}
