import { connect } from "node:net";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { errnoOf } from "../attestation/caller-facts.ts";
import { because } from "../cause-details.ts";
import { explainSocket, socketFault } from "../socket-fault.ts";
import { LAUNCHER_ERRORS } from "./errors.ts";

/**
 * Shows that an agent listens on a socket, with the reason when it does not: gRPC would only say "unavailable".
 *
 * @throws LAUNCH_AGENT_UNREACHABLE  details: `cause` where `why` knows one, and `path`
 */
export function reachSocket(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", (error) => {
      const { text, details } = faultOf(path, errnoOf(error));
      reject(
        new BonafideError(
          LAUNCHER_ERRORS,
          "LAUNCH_AGENT_UNREACHABLE",
          `the agent's socket ${path} ${text}`,
          { cause: error, details: { path, ...details } },
        ),
      );
    });
  });
}

interface ReachFault {
  readonly text: string;
  readonly details: Readonly<Record<string, string>>;
}

function faultOf(path: string, errno: string): ReachFault {
  switch (errno) {
    case "ENOENT":
    case "ENOTDIR":
      return {
        text: "does not exist; is the agent running?",
        details: because("socket.missing"),
      };
    case "ECONNREFUSED":
      return {
        text: "has nobody listening; is the agent running?",
        details: because("socket.missing"),
      };
    case "EACCES":
      return {
        text: `may not be opened by this user${whereRefused(path)}`,
        details: because("socket.not_permitted"),
      };
    default:
      return { text: `cannot be opened: ${errno}`, details: {} };
  }
}

function whereRefused(path: string): string {
  const user = {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
  };
  const fault = socketFault({ path, from: "the launcher" }, user);
  return fault?.kind === "not_permitted" ? `: ${explainSocket(fault).says}` : "";
}
