import { closeSync, readSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { BonafideError } from "@bonafide/errors";
import { Launcher } from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { createClient, openUnixChannel } from "@bonafide/rpc";
import { LAUNCHER_ERRORS } from "./errors.ts";
import { findProgram } from "./find-program.ts";
import { NONCE_BYTES } from "./limits.ts";
import { reachSocket } from "./reach-socket.ts";

/** Descriptor on which the launcher hands over the nonce. */
export const NONCE_FD = 3;

/** What a started child becomes. */
export interface BecomeOptions {
  /** The agent's workload socket. */
  readonly socketPath: string;
  /** Program and arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Environment of the program. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The child's half of {@link execAs}: takes the slot over a connection of its own, then replaces itself by the command.
 * Pid, session and pidfd stay, so what the agent noted of this process holds for the program.
 *
 * @returns never, but when it throws
 * @throws LAUNCH_NONCE_MISSING                          it was not started by a launcher
 * @throws LAUNCH_COMMAND_NOT_FOUND, LAUNCH_COMMAND_NOT_EXECUTABLE
 * @throws LAUNCH_AGENT_UNREACHABLE                      details say why
 * @throws RpcError                                      the agent's refusal
 */
export async function become(options: BecomeOptions): Promise<never> {
  const nonce = readNonce();
  const [program, ...args] = options.command;
  // Looked for before the nonce is spent: a misspelt command should not look like a refusal.
  const file = findProgram(program, options.env["PATH"]);
  await reachSocket(options.socketPath);
  {
    using channel = openUnixChannel(options.socketPath);
    await createClient(Launcher, channel).redeem({ nonce });
  }
  // What would be kept at the end of this process, which does not come.
  flushCompileCache();
  process.execve?.(file, [program, ...args], options.env);
  throw new Error("this Node cannot replace itself by another program");
}

function readNonce(): Buffer {
  const bytes = Buffer.alloc(NONCE_BYTES + 1);
  let size = 0;
  try {
    while (size < bytes.length) {
      const read = readSync(NONCE_FD, bytes, size, bytes.length - size, null);
      if (read === 0) break;
      size += read;
    }
    closeSync(NONCE_FD);
  } catch {
    size = 0;
  }
  if (size === NONCE_BYTES) return bytes.subarray(0, NONCE_BYTES);
  throw new BonafideError(
    LAUNCHER_ERRORS,
    "LAUNCH_NONCE_MISSING",
    "this is the inner half of a launch and cannot be started by hand",
  );
}
