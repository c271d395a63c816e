import { chmodSync, lstatSync, mkdirSync, rmSync, type Stats } from "node:fs";
import { connect } from "node:net";
import { dirname, isAbsolute } from "node:path";
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
 * Makes the socket's folder if it is missing, and shows that nobody else can replace what lies in it: a real folder,
 * not a link, owned by us, no wider than `mode`, in a parent where others cannot rename it.
 *
 * @throws SOCKET_FOLDER_UNSAFE  otherwise; nothing was changed
 */
export function prepareSocketFolder(path: string, mode: number): void {
  const folder = dirname(path);
  // The umask takes bits of what is made now; a folder that was there is judged, never changed.
  if (mkdirSync(folder, { recursive: true, mode }) !== undefined) chmodSync(folder, mode);
  const stats = lstatSync(folder);
  const reason = whyUnsafe(stats, mode) ?? whyParentUnsafe(lstatSync(dirname(folder)));
  if (reason === undefined) return;
  throw new BonafideError(
    UNIX_PEER_ERRORS,
    "SOCKET_FOLDER_UNSAFE",
    `the folder ${folder} of the socket ${reason}`,
    { details: { folder, owner: String(stats.uid), mode: (stats.mode & 0o7777).toString(8) } },
  );
}

function whyUnsafe(stats: Stats, mode: number): string | undefined {
  if (stats.isSymbolicLink()) return "is a link";
  if (!stats.isDirectory()) return "is no folder";
  if (stats.uid !== process.geteuid?.()) return `belongs to uid ${stats.uid}`;
  if ((stats.mode & 0o777 & ~mode) !== 0) {
    return `has mode ${(stats.mode & 0o777).toString(8)}, wider than ${mode.toString(8)}`;
  }
  return undefined;
}

function whyParentUnsafe(parent: Stats): string | undefined {
  const othersWrite = (parent.mode & 0o022) !== 0 && (parent.mode & 0o1000) === 0;
  return othersWrite ? "lies in a folder where others may rename it" : undefined;
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
