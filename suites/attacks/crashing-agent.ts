import process from "node:process";
import {
  createAttestation,
  createUnixAttestor,
  launcherAttestor,
  LauncherSlots,
  nsAttestor,
  slotsFile,
} from "@bonafide/agent/testing";
import { systemClock } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { listenUnix, openKernel, UnixPeer } from "@bonafide/unix-peer";
import { ATTESTORS_MS_MAX } from "./attack-bench.ts";

/*
 * An agent's way of looking at callers, which kills itself at a point: SOCKET SLOTS [POINT]
 * A caller that says "n" is a launched child whose parent asks for it; every other byte is a call.
 */
const [, , path = "", slotsPath = "", fatal] = process.argv;
const at = (point: string): void => {
  if (point === fatal) process.kill(process.pid, "SIGKILL");
};
const kernel = await openKernel();
const slots = await LauncherSlots.open(
  // A clock that stands: a slot waits for its process, however long that takes.
  { clock: new ManualClock(), kernel, file: slotsFile(slotsPath) },
  { at },
);
const attestation = createAttestation(
  {
    clock: systemClock,
    attestors: [
      createUnixAttestor({ wantsSha256: () => false }),
      nsAttestor(),
      launcherAttestor(slots),
    ],
  },
  { beforeStep: at, attestorsMsMax: ATTESTORS_MS_MAX },
);

async function answer(caller: UnixPeer, byte: number): Promise<string> {
  if (byte === 0x6e) {
    // In place of the launcher, whose pid a real agent has from the admin socket.
    using launcher = UnixPeer.ofProcess(kernel, caller.facts()?.parentPid ?? 0);
    const { value } = await slots.slot(launcher, "crash/test").next();
    if (value?.kind === "opened") await slots.redeem(caller, value.nonce);
    return "named";
  }
  const { selectors } = await attestation.observe(caller);
  return selectors.map(({ type, value }) => `${type}:${value}`).join(" ");
}

await listenUnix({
  kernel,
  path,
  mode: 0o777,
  folderMode: 0o755,
  onConnection: ({ socket, caller }) => {
    socket.on("data", (bytes: Buffer) => {
      answer(caller(), bytes[0] ?? 0).then(
        (line) => socket.write(`${line}\n`),
        (error: unknown) => socket.write(`refused ${String(error)}\n`),
      );
    });
  },
});
process.stdout.write("listening\n");
