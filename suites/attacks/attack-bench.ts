import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  type Attestation,
  createAttestation,
  createUnixAttestor,
  launcherAttestor,
  LauncherSlots,
  nsAttestor,
  type Observation,
} from "@bonafide/agent/testing";
import { systemClock } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import {
  type Kernel,
  listenUnix,
  openKernel,
  type OptionalCall,
  type UnixConnection,
  UnixPeer,
} from "@bonafide/unix-peer";
import { withoutCalls } from "@bonafide/unix-peer/testing";

/** An attack takes well under a second; one that waits for what never comes must end, also on a machine that is busy. */
export const MS_MAX = 180_000;

/** No attestor is late here: what an attack shows must not hang on how busy the machine is. */
export const ATTESTORS_MS_MAX = 120_000;

/** Uids and gids without an account, of nobody else. */
export const ATTACKER = 61_001;
/** Another unprivileged user. */
export const OTHER = 61_010;

/** Kernels that the attacks are tried on. */
export const MODES: readonly {
  readonly name: string;
  readonly missing: readonly OptionalCall[];
}[] = [
  { name: "this kernel", missing: [] },
  { name: "no SO_PEERPIDFD", missing: ["SO_PEERPIDFD"] },
  { name: "no PIDFD_GET_INFO", missing: ["PIDFD_GET_INFO"] },
];

const PERL = "/usr/bin/perl";

/** Why the attacks cannot be tried here; undefined when they can. */
export function whyNotHere(): string | undefined {
  if (process.geteuid?.() !== 0) return "needs root, to be another user";
  return existsSync(PERL) ? undefined : `needs ${PERL}, to be an attacker`;
}

/** In front of every attack: connects as `$S` to the socket that is the first argument, and keeps it over exec. */
const CONNECT = `use Socket; use POSIX; $^F=255; $path=shift @ARGV; sub c {
  socket(S,AF_UNIX,SOCK_STREAM,0) or die; connect(S,sockaddr_un($path)) or die "connect $!" } `;

/** Options of {@link AttackBench.attack}. */
export interface AttackOptions {
  readonly uid?: number;
  /** Default: the uid's number. */
  readonly gid?: number;
  readonly args?: readonly string[];
  /** Program in front, such as `unshare -U`. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An agent's way of looking at callers, on a real socket, and real attackers. */
export class AttackBench implements AsyncDisposable {
  readonly kernel: Kernel;
  readonly folder: string;
  readonly attestation: Attestation;
  readonly slots: LauncherSlots;
  readonly #stack: AsyncDisposableStack;
  readonly #arrived: UnixConnection[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #seen: UnixConnection[] = [];
  #wake = (): void => {};

  private constructor(kernel: Kernel, slots: LauncherSlots, stack: AsyncDisposableStack) {
    this.kernel = kernel;
    this.slots = slots;
    this.#stack = stack;
    this.folder = mkdtempSync("/tmp/bf-");
    chmodSync(this.folder, 0o755);
    const attestors = [stack.use(createUnixAttestor()), nsAttestor(), launcherAttestor(slots)];
    this.attestation = createAttestation(
      { clock: systemClock, attestors },
      { attestorsMsMax: ATTESTORS_MS_MAX },
    );
  }

  static async open(
    missing: readonly OptionalCall[],
    options: { readonly requirePinnedPeer?: boolean } = {},
  ): Promise<AttackBench> {
    const kernel = withoutCalls(await openKernel(), missing);
    const stack = new AsyncDisposableStack();
    // A clock that stands: a slot waits for its process, however long that takes to start.
    const slots = stack.use(await LauncherSlots.open({ clock: new ManualClock(), kernel }));
    const bench = new AttackBench(kernel, slots, stack);
    mkdirSync(join(bench.folder, "open"), { mode: 0o755 });
    const listener = await listenUnix({
      kernel,
      path: bench.path,
      mode: 0o777,
      folderMode: 0o755,
      ...options,
      onConnection: (connection) => {
        connection.socket.resume();
        bench.#arrived.push(connection);
        bench.#wake();
      },
    });
    stack.use(listener);
    return bench;
  }

  get path(): string {
    return join(this.folder, "open/s");
  }

  /** Starts an attack in Perl: `c` connects, `@ARGV` are its arguments. */
  attack(script: string, options: AttackOptions = {}): ChildProcess {
    const { uid = ATTACKER, gid = uid, args = [], wrapper = [], env = {} } = options;
    const line = [...wrapper, PERL, "-e", CONNECT + script, this.path, ...args];
    const [program = PERL, ...rest] = line;
    const child = spawn(program, rest, {
      uid,
      gid,
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", ...env },
    });
    this.#children.push(child);
    return child;
  }

  /** The next connection. */
  async connected(): Promise<UnixConnection> {
    for (;;) {
      const connection = this.#arrived.shift();
      if (connection !== undefined) {
        this.#seen.push(connection);
        return connection;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Looks at a caller until what is seen fits: an attacker needs a moment to become what it pretends to be. */
  async seenAs(
    connection: UnixConnection,
    fits: (observation: Observation) => boolean = () => true,
  ): Promise<Observation> {
    for (;;) {
      const observation = await this.attestation.observe(connection.caller());
      if (fits(observation)) return observation;
      await new Promise(setImmediate);
    }
  }

  /** A process by its number, as `why` looks at it. */
  async seenByNumber(pid: number): Promise<Observation> {
    using peer = UnixPeer.ofProcess(this.kernel, pid);
    return await this.attestation.observe(peer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#seen) endCaller(connection);
    for (const child of this.#children) await endGroup(child);
    await this.#stack.disposeAsync();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A caller that left its session is of nobody's group. */
function endCaller({ caller }: UnixConnection): void {
  try {
    const { pid } = caller();
    if (caller().alive() && pid !== process.pid) process.kill(pid, "SIGKILL");
  } catch {
    // Refused, or gone.
  }
}

/** Ends a child that leads a group of its own, and whatever it forked, also when it has ended before. */
export async function endGroup(child: ChildProcess): Promise<void> {
  const isRunning = child.exitCode === null && child.signalCode === null;
  const exit = child.pid !== undefined && isRunning ? once(child, "exit") : undefined;
  try {
    // Never without a number: that would be our own group.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody of it is left.
  }
  await exit;
}

/** What a short program prints, run as a user. */
export function said(uid: number, script: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(PERL, ["-e", `use POSIX; ${script}`, ...args], {
    uid,
    gid: uid,
    cwd: "/",
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin" },
  });
  return (stdout + stderr).trim();
}

/** Values of one kind of selector, such as `unix:path`. */
export function valuesOf({ selectors }: Observation, kind: string): readonly string[] {
  return selectors.flatMap(({ type, value }) =>
    `${type}:${value}`.startsWith(`${kind}:`) ? [`${type}:${value}`.slice(kind.length + 1)] : [],
  );
}

/** Why a kind of selector is missing. */
export function omission({ omitted }: Observation, fact: string): string | undefined {
  return omitted.find((entry) => entry.fact === fact)?.reason;
}
