import { lstatSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";

/** Where a socket's path came from; told when nobody answers there. */
export interface SocketChoice {
  readonly path: string;
  readonly source: string;
}

/** The folder that `up` keeps its state in unless it is told another one. */
const DATA_DIR = ".bonafide";

type Env = Readonly<Record<string, string | undefined>>;

/** Path of the server's private admin socket: flag, BONAFIDE_SERVER_SOCKET, that of `up` here or above, the system's. */
export function serverSocket(flag: string | undefined, env: Env): SocketChoice {
  return choose(flag, env, {
    variable: "BONAFIDE_SERVER_SOCKET",
    ofUp: "server.sock",
    ofSystem: "/var/lib/bonafide/server/private/admin.sock",
  });
}

/** Path of the agent's private admin socket: flag, BONAFIDE_AGENT_SOCKET, that of `up` here or above, the system's. */
export function agentAdminSocket(flag: string | undefined, env: Env): SocketChoice {
  return choose(flag, env, {
    variable: "BONAFIDE_AGENT_SOCKET",
    ofUp: "agent.sock",
    ofSystem: "/var/lib/bonafide/agent/private/admin.sock",
  });
}

/** Path of the Workload API: flag, SPIFFE_ENDPOINT_SOCKET, that of `up` here or above, the system's. */
export function workloadSocket(flag: string | undefined, env: Env): SocketChoice {
  return choose(flag, env, {
    variable: "SPIFFE_ENDPOINT_SOCKET",
    ofUp: "workload.sock",
    ofSystem: "/run/bonafide/agent.sock",
  });
}

function choose(
  flag: string | undefined,
  env: Env,
  places: { readonly variable: string; readonly ofUp: string; readonly ofSystem: string },
): SocketChoice {
  if (flag !== undefined) return { path: withoutScheme(flag), source: "--socket" };
  const named = env[places.variable];
  if (named !== undefined && named !== "") {
    return { path: withoutScheme(named), source: places.variable };
  }
  const found = findOfUp(places.ofUp);
  if (typeof found === "string") return { path: found, source: "bonafide up in this folder" };
  return { path: places.ofSystem, source: `the default${found.passedOver}` };
}

/**
 * Looks for the data folder of an `up` in this folder and in those above it, as git looks for its own; the nearest that is
 * there counts, whosever it is.
 *
 * Only one that nobody else could have put there is taken: it is found in, and leads to, real folders of the caller that
 * nobody else may write. Else whoever owns a folder above would be asked in the server's place.
 */
function findOfUp(name: string): string | { readonly passedOver: string } {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const data = join(folder, DATA_DIR);
    if (lstatSync(data, { throwIfNoEntry: false }) !== undefined) {
      const fault = faultOf(data, join(data, name));
      // Relative, since a socket's path is short and a folder's need not be.
      if (fault === undefined) return relative(process.cwd(), join(data, name));
      return { passedOver: `; ${data} ${fault}` };
    }
    if (folder === dirname(folder)) return { passedOver: "" };
  }
}

/** Why a data folder's socket is not taken; undefined if it is. */
function faultOf(data: string, socket: string): string | undefined {
  const fault = folderFault(data);
  if (fault !== undefined) return `is passed over: ${fault}`;
  let real: string;
  try {
    real = realpathSync(socket);
  } catch {
    return "is of a bonafide up that does not run now";
  }
  const behind = folderFault(dirname(real));
  return behind === undefined ? undefined : `is passed over: behind it, ${behind}`;
}

function folderFault(path: string): string | undefined {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return "it is a link or no folder";
  if (stats.uid !== process.geteuid?.()) return `it belongs to uid ${stats.uid}`;
  return (stats.mode & 0o022) === 0 ? undefined : "others may write to it";
}

function withoutScheme(text: string): string {
  return text.replace(/^unix:(?:\/\/(?=\/))?/, "");
}
