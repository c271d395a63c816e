import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { HostileDoor } from "./door.ts";
import { type HeldResources, heldResources } from "./held-resources.ts";

/** What is attacked, in its own process. */
export interface Attacked extends AsyncDisposable {
  readonly doors: readonly HostileDoor[];
  /** What went wrong in it so far: handlers that broke, one line each. */
  readonly faults: readonly string[];
}

/** What it says when asked. */
export interface VictimState {
  readonly held: HeldResources;
  readonly faults: readonly string[];
}

/** A process that is attacked from this one: what it holds is its own, and nothing of the attacker's. */
export interface Victim extends AsyncDisposable {
  readonly pid: number;
  readonly doors: readonly HostileDoor[];
  /** Asks it what it holds, once it has come to rest. */
  state(): Promise<VictimState>;
}

/** The whole of a victim's program: opens what is attacked, tells its doors, and ends with its parent. */
export async function serveVictim(open: () => Promise<Attacked>): Promise<void> {
  const attacked = await open();
  const answer = async (): Promise<void> => {
    const state: VictimState = { held: await heldResources(), faults: attacked.faults };
    process.send?.(state);
  };
  process.on("message", () => {
    void answer();
  });
  process.once("disconnect", () => {
    void attacked[Symbol.asyncDispose]().then(() => process.exit(0));
  });
  process.send?.(attacked.doors);
}

/** Starts such a program. @param program  URL of its file, which calls {@link serveVictim} */
export async function openVictim(program: URL): Promise<Victim> {
  const child = fork(fileURLToPath(program), [], { execArgv: [], stdio: "inherit" });
  const exited = once(child, "exit");
  const heard = async (): Promise<unknown> => {
    const said = await Promise.race([once(child, "message"), exited.then(() => undefined)]);
    if (said === undefined) throw new Error("what was attacked has ended");
    const [message]: unknown[] = said;
    return message;
  };
  // oxlint-disable-next-line no-unsafe-type-assertion -- the other end is serveVictim
  const doors = (await heard()) as readonly HostileDoor[];
  return {
    pid: child.pid ?? -1,
    doors,
    async state() {
      const answer = heard();
      child.send("state");
      // oxlint-disable-next-line no-unsafe-type-assertion -- the other end is serveVictim
      return (await answer) as VictimState;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
