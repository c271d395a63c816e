import { join, relative } from "node:path";
import process from "node:process";
import type { Machine } from "../arguments/command.ts";
import { whenAborted } from "../process/when-aborted.ts";
import { openDataDir } from "./data-dir.ts";
import { Plane } from "./plane.ts";

/** Options of {@link runUp}. */
export interface UpOptions {
  readonly trustDomain: string;
  readonly dataDir: string;
  /** End as soon as both workloads are proven and the third process is refused. */
  readonly once: boolean;
  /** 0: any free port. */
  readonly serverPort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Shows a line of progress. */
  readonly say: (line: string) => void;
  readonly machine: Machine;
}

/**
 * Starts a server, an agent and the demo workloads, each a process of its own, and stops them all at the end.
 *
 * @throws DATA_DIR_UNSAFE, DATA_DIR_LOCKED, PROCESS_ENDED, DEMO_FAILED
 */
export async function runUp(options: UpOptions): Promise<void> {
  const { trustDomain, say, signal, machine, env, serverPort, once } = options;
  const dir = openDataDir(options.dataDir, env);
  // Disposed last to first: workloads, agent, server, lock.
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    dir.release();
  });
  say(`bonafide up: trust domain ${trustDomain}, data in ${shown(dir.path)}`);
  const plane = stack.use(new Plane({ trustDomain, dir, serverPort, env, cli: machine.cli }));
  const wasHere = plane.hasJoined;
  const starting = plane.startServer();
  // Until it is awaited, below.
  starting.catch(() => undefined);
  // While the server starts: the demo loads gRPC, and looks which users can run its workloads.
  const { Demo } = await import("./demo.ts");
  const demo = stack.use(new Demo({ trustDomain, dir, plane, machine, env, signal, say }));
  const server = await starting;
  say(
    `server   serves on 127.0.0.1:${plane.port}, store and keys in ${shown(join(dir.path, "server"))}`,
  );
  const [id] = await Promise.all([plane.startAgent(server), demo.register(server)]);
  say(`agent    ${wasHere ? "is back as" : "joined as"} ${shorten(id)}`);
  say(`         export SPIFFE_ENDPOINT_SOCKET=unix://${plane.workloadSocket}`);
  await demo.play(await plane.agentClient());
  if (once) {
    say("both proven, the third refused: done");
    return;
  }
  say("next: bonafide entry list; bonafide ledger log; bonafide whoami; Ctrl-C stops all");
  await Promise.race([whenAborted(signal), plane.ended, demo.ended]);
  say(signal.aborted ? "stopping" : "a process ended by itself; stopping the others");
}

/** A join token's agent ID is long and says nothing to a reader. */
function shorten(id: string): string {
  return id.replace(/(join_token\/.{8}).*/, "$1...");
}

/** A path as a reader of this terminal would type it. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}
