import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { BonafideError } from "@bonafide/errors";
import {
  LauncherAdmin,
  type OpenSlotResponse,
} from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { createClient, openUnixChannel } from "@bonafide/rpc";
import { isSlotName } from "./core/slot-name.ts";
import { LAUNCHER_ERRORS } from "./errors.ts";
import { reachSocket } from "./reach-socket.ts";

/** How a workload is started. */
export interface ExecAsOptions {
  /** Name to be given to it. */
  readonly name: string;
  /** The agent's admin socket. */
  readonly adminSocketPath: string;
  /**
   * Program and arguments whose process calls `become`, the workload's command included: the same command line again,
   * with its inner half.
   */
  readonly child: readonly [program: string, ...args: string[]];
  /** The child's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder, default: this process's. */
  readonly cwd?: string;
  /** Another user, for root only; supplementary groups are cleared. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Standard streams of the child, default: this process's. */
  readonly stdio?: "inherit" | "pipe";
}

/** How a workload ended. */
export interface LaunchEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A workload that has its name. */
export interface Launched extends AsyncDisposable {
  readonly slotId: string;
  readonly process: ChildProcess;
  /** Resolves when it has taken its slot, rejects when it ended before. */
  readonly named: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<LaunchEnd>;
  /** Sends a signal to it and to the members of its process group. */
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a workload under a name: opens a slot at the agent, starts the child in a session of its own with the nonce on
 * an inherited pipe, never in arguments or environment, and lets it take the slot over its own connection. Dispose
 * kills what still runs.
 *
 * @throws SLOT_NAME_INVALID         before anything is started
 * @throws LAUNCH_AGENT_UNREACHABLE  details say why
 * @throws RpcError                  the agent's refusal
 */
export async function execAs(options: ExecAsOptions): Promise<Launched> {
  if (!isSlotName(options.name)) {
    throw new BonafideError(
      LAUNCHER_ERRORS,
      "SLOT_NAME_INVALID",
      "a name is 1 to 4 parts of [a-z0-9][a-z0-9._-]{0,62}, joined by slashes",
    );
  }
  await reachSocket(options.adminSocketPath);
  const channel = openUnixChannel(options.adminSocketPath);
  const giveUp = new AbortController();
  const stream = createClient(LauncherAdmin, channel).openSlot(
    { name: options.name },
    { signal: giveUp.signal },
  );
  try {
    const first = await stream.next();
    const event = first.done === true ? undefined : first.value.event;
    if (event?.case !== "opened") throw new Error("the agent opens a slot first");
    const child = start(options);
    await handOver(child, event.value.nonce);
    const ended = endOf(child);
    const letGo = ended.finally(() => {
      channel.close();
    });
    const hasName = named(stream, ended).catch((error: unknown) => {
      // Else the agent keeps the slot of a child that has ended, and this process waits for it.
      giveUp.abort();
      throw error;
    });
    // Whoever waits for neither still hears of the end by its process.
    for (const promise of [letGo, hasName]) promise.catch(() => {});
    return {
      slotId: event.value.slotId,
      process: child,
      named: hasName,
      ended: letGo,
      kill: (signal) => {
        signalGroup(child, signal);
      },
      async [Symbol.asyncDispose]() {
        signalGroup(child, "SIGKILL");
        await letGo;
      },
    };
  } catch (error) {
    await stream.return?.();
    channel.close();
    throw error;
  }
}

function start(options: ExecAsOptions): ChildProcess {
  const [program, ...args] = options.child;
  const stdio = options.stdio ?? "inherit";
  return spawn(program, args, {
    detached: true,
    env: options.env,
    stdio: [stdio === "pipe" ? "ignore" : stdio, stdio, stdio, "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.user,
  });
}

async function handOver(child: ChildProcess, nonce: Uint8Array): Promise<void> {
  if (child.pid === undefined) await once(child, "spawn");
  const pipe = child.stdio[3];
  if (!isWritable(pipe)) throw new Error("the child has a fourth stream");
  // A child that ends at once breaks the pipe; its end is what is reported.
  pipe.on("error", () => {});
  pipe.end(nonce);
}

function isWritable(stream: unknown): stream is Writable {
  return typeof stream === "object" && stream !== null && "end" in stream;
}

function endOf(child: ChildProcess): Promise<LaunchEnd> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve({ code, signal });
    });
  });
}

/** Waits for the slot's next event. A stream that breaks later, with the agent, says nothing about the workload. */
async function named(
  stream: AsyncIterableIterator<OpenSlotResponse>,
  ended: Promise<LaunchEnd>,
): Promise<void> {
  const next = stream.next().then((answer) => (answer.done === true ? undefined : answer.value));
  const first = await Promise.race([next, ended.then(() => undefined)]);
  if (first?.event.case === "redeemed") {
    void drain(stream);
    return;
  }
  const reason = first?.event.case === "closed" ? first.event.value.reason : "slot.child_ended";
  throw new BonafideError(
    LAUNCHER_ERRORS,
    "SLOT_UNKNOWN",
    "the started process ended, or did not come, before it took its name",
    { details: { reason } },
  );
}

async function drain(stream: AsyncIterableIterator<OpenSlotResponse>): Promise<void> {
  try {
    for await (const _ of stream);
  } catch {
    // The agent went; the name stays with the process.
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
