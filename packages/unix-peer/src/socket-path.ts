import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { isAbsolute } from "node:path";
import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";
import { SOCKET_PATH_BYTES_MAX } from "./limits.ts";

/**
 * Checks what the kernel would refuse or, worse, cut.
 *
 * @throws SOCKET_PATH_INVALID   relative, or holds a zero byte
 * @throws SOCKET_PATH_TOO_LONG  over 107 bytes, which no unix socket address can hold
 */
export function checkSocketPath(path: string): void {
  if (!isAbsolute(path) || path.includes("\0")) {
    throw new BonafideError(
      UNIX_PEER_ERRORS,
      "SOCKET_PATH_INVALID",
      "the path of a socket must be absolute",
      { details: { path } },
    );
  }
  const size = Buffer.byteLength(path);
  if (size > SOCKET_PATH_BYTES_MAX) {
    throw new BonafideError(
      UNIX_PEER_ERRORS,
      "SOCKET_PATH_TOO_LONG",
      `the path of this socket has ${size} bytes; the kernel allows ${SOCKET_PATH_BYTES_MAX}`,
      { details: { path, bytes: String(size), bytesMax: String(SOCKET_PATH_BYTES_MAX) } },
    );
  }
}

/**
 * Takes away the socket of a process that is gone; leaves everything else.
 *
 * @throws SOCKET_IN_USE         somebody listens there
 * @throws SOCKET_PATH_OCCUPIED  the path is something else than a socket
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new BonafideError(
      UNIX_PEER_ERRORS,
      "SOCKET_PATH_OCCUPIED",
      `${path} exists and is no socket`,
      { details: { path } },
    );
  }
  if (await isDead(path)) {
    rmSync(path, { force: true });
    return;
  }
  throw new BonafideError(UNIX_PEER_ERRORS, "SOCKET_IN_USE", `another process listens on ${path}`, {
    details: { path },
  });
}

/** Only a refused connection shows that nobody listens; a full queue or a refused permission does not. */
function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "ECONNREFUSED" || error.code === "ENOENT");
    });
  });
}
