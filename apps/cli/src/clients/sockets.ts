import { lstatSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";

/** Where a socket's path came from; told when nobody answers there. */
export interface SocketChoice {
  readonly path: string;
  readonly source: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Path of the server's private admin socket: flag, BONAFIDE_SERVER_SOCKET, that of `up` here, the system's. */
export function serverSocket(flag: string | undefined, env: Env): SocketChoice {
  return choose(flag, env, {
    variable: "BONAFIDE_SERVER_SOCKET",
    ofUp: ".bonafide/server.sock",
    ofSystem: "/var/lib/bonafide/server/private/admin.sock",
  });
}

/** Path of the agent's private admin socket: flag, BONAFIDE_AGENT_SOCKET, that of `up` here, the system's. */
export function agentAdminSocket(flag: string | undefined, env: Env): SocketChoice {
  return choose(flag, env, {
    variable: "BONAFIDE_AGENT_SOCKET",
    ofUp: ".bonafide/agent.sock",
    ofSystem: "/var/lib/bonafide/agent/private/admin.sock",
  });
}

/** Path of the Workload API: flag, SPIFFE_ENDPOINT_SOCKET, that of `up` here, the system's. */
export function workloadSocket(flag: string | undefined, env: Env): SocketChoice {
  return choose(flag, env, {
    variable: "SPIFFE_ENDPOINT_SOCKET",
    ofUp: ".bonafide/workload.sock",
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
  if (isOurs(places.ofUp)) return { path: places.ofUp, source: "bonafide up in this folder" };
  return { path: places.ofSystem, source: "the default" };
}

/**
 * Whether a socket of `up` in this folder is the caller's own: the folder it is found in, and the one it leads to, are real
 * folders that nobody else may write. Else whoever owns the folder would be asked in the server's place.
 */
function isOurs(path: string): boolean {
  try {
    return isPrivateFolder(dirname(path)) && isPrivateFolder(dirname(realpathSync(path)));
  } catch {
    return false; // nothing there
  }
}

function isPrivateFolder(path: string): boolean {
  if (lstatSync(path).isSymbolicLink()) return false;
  const { uid, mode } = statSync(path);
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

function withoutScheme(text: string): string {
  return text.replace(/^unix:(?:\/\/(?=\/))?/, "");
}
