import process from "node:process";
import { createAttestation, createUnixAttestor, nsAttestor } from "@bonafide/agent/testing";
import { isBonafideError } from "@bonafide/errors";
import { systemClock } from "@bonafide/lifetime";
import { listenUnix, openKernel, type OptionalCall, type UnixPeer } from "@bonafide/unix-peer";
import { withoutCalls } from "@bonafide/unix-peer/testing";
import { ATTESTORS_MS_MAX } from "./attack-bench.ts";

/* Listens on a socket and prints of each caller why it is refused, or what is seen: SOCKET [MISSING CALL...] */
const OPTIONAL: readonly OptionalCall[] = ["SO_PEERPIDFD", "PIDFD_GET_INFO", "UNIX_DIAG"];
const [, , path = "", ...missing] = process.argv;
const attestation = createAttestation(
  { clock: systemClock, attestors: [createUnixAttestor(), nsAttestor()] },
  { attestorsMsMax: ATTESTORS_MS_MAX },
);

async function seenOf(caller: () => UnixPeer): Promise<string> {
  try {
    const { selectors, omitted } = await attestation.observe(caller());
    const seen = selectors.map(({ type, value }) => `${type}:${value}`);
    return ["seen", ...seen, ...omitted.map(({ fact, reason }) => `${fact}=${reason}`)].join(" ");
  } catch (error) {
    return isBonafideError(error) ? `${error.code} ${error.details["cause"] ?? ""}` : String(error);
  }
}

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
    void seenOf(caller).then((line) => process.stdout.write(`${line}\n`));
  },
});
process.stdout.write("listening\n");
