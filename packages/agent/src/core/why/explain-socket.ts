import type { Cause } from "./causes.ts";
import type { SocketFact } from "./facts.ts";
import { word } from "./mend.ts";

/** Rung 1: what keeps a caller from the socket. */
export function explainSocket(socket: SocketFact): Cause {
  if (socket.kind === "missing") {
    return {
      code: "socket.missing",
      says: `there is no socket at ${socket.path} (path from ${socket.from})`,
      hint: `Start the agent with bonafide agent run, or point ${socket.from} to the socket it printed.`,
      command: "bonafide agent run",
    };
  }
  const { component, ownerUid, path } = socket;
  const mode = socket.mode.toString(8).padStart(4, "0");
  return {
    code: "socket.not_permitted",
    says: `${component} is owned by uid ${ownerUid} with mode ${mode} and refuses the way to ${path}`,
    hint: `Let the workload's user into ${component}, or place the socket in a folder it may search.`,
    command: component === path ? `chmod o+w ${word(component)}` : `chmod o+x ${word(component)}`,
  };
}
