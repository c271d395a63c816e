import process from "node:process";
import { isBonafideError } from "@bonafide/errors";
import { listenUnix, openKernel, type OptionalCall, withoutCalls } from "@bonafide/unix-peer";

/* Listens on a socket and prints, for each caller, why it is refused: SOCKET [MISSING CALL...] */
const OPTIONAL: readonly OptionalCall[] = ["SO_PEERPIDFD", "PIDFD_GET_INFO", "UNIX_DIAG"];
const [, , path = "", ...missing] = process.argv;
await listenUnix({
  kernel: withoutCalls(
    await openKernel(),
    OPTIONAL.filter((call) => missing.includes(call)),
  ),
  path,
  mode: 0o777,
  folderMode: 0o755,
  onConnection: ({ caller, socket }) => {
    socket.resume();
    try {
      process.stdout.write(`served ${caller().uid}\n`);
    } catch (error) {
      const text = isBonafideError(error)
        ? `${error.code} ${error.details["cause"] ?? ""}`
        : String(error);
      process.stdout.write(`${text}\n`);
    }
  },
});
process.stdout.write("listening\n");
