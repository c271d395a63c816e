import { connect } from "node:net";
import { BonafideError } from "@bonafide/errors";
import { errnoOf } from "../attestation/caller-facts.ts";
import { LAUNCHER_ERRORS } from "./errors.ts";

const CAUSES: Readonly<Record<string, readonly [cause: string, text: string]>> = {
  ENOENT: ["socket.missing", "does not exist; is the agent running?"],
  ENOTDIR: ["socket.missing", "does not exist; is the agent running?"],
  EACCES: ["socket.not_permitted", "may not be opened by this user"],
  ECONNREFUSED: ["socket.refused", "has nobody listening; is the agent running?"],
};

/**
 * Shows that an agent listens on a socket, with the reason when it does not: gRPC would only say "unavailable".
 *
 * @throws LAUNCH_AGENT_UNREACHABLE  details: `cause`, `path`
 */
export function reachSocket(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", (error) => {
      const errno = errnoOf(error);
      const [cause, text] = CAUSES[errno] ?? ["socket.unreachable", `cannot be opened: ${errno}`];
      reject(
        new BonafideError(
          LAUNCHER_ERRORS,
          "LAUNCH_AGENT_UNREACHABLE",
          `the agent's socket ${path} ${text}`,
          { cause: error, details: { cause, path } },
        ),
      );
    });
  });
}
