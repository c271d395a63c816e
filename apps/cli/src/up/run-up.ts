import { join, relative } from "node:path";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { whenAborted } from "@bonafide/lifetime";
import { parseTrustDomainName } from "@bonafide/spiffe";
import type { Machine } from "../arguments/command.ts";
import { CLI_ERRORS } from "../errors.ts";
import { type DataDir, openDataDir } from "./data-dir.ts";
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
 * @throws TRUST_DOMAIN_INVALID, DATA_DIR_UNSAFE, DATA_DIR_LOCKED, PROCESS_ENDED, DEMO_FAILED
 */
export async function runUp(options: UpOptions): Promise<void> {
  const { say, signal, env } = options;
  parseTrustDomainName(options.trustDomain);
  const dir = openDataDir(options.dataDir, env);
  // Disposed last to first: workloads, agent, server, lock.
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    dir.release();
  });
  say(`bonafide up: trust domain ${options.trustDomain}, data in ${shown(dir.path)}`);
  const played = play(options, dir, stack);
  // Whatever a step still waits for, Ctrl-C ends: what is pending then fails as its processes go.
  played.catch(() => undefined);
  await Promise.race([played, whenAborted(signal)]);
  if (signal.aborted) say("stopping");
}

async function play(options: UpOptions, dir: DataDir, stack: AsyncDisposableStack): Promise<void> {
  const { trustDomain, say, signal, machine, env, serverPort, once } = options;
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
  const name = await Promise.race([plane.ended, demo.ended]);
  throw new BonafideError(CLI_ERRORS, "PROCESS_ENDED", `the ${name} ended by itself`, {
    details: { next: `read the end of ${shown(join(dir.path, `${name}.log`))}, then run up again` },
  });
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
