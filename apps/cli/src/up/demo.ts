import { join } from "node:path";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { whenAborted } from "@bonafide/lifetime";
import { Diagnosis } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import type { Machine } from "../arguments/command.ts";
import type { SocketClient } from "../clients/socket-client.ts";
import type { DemoEvent } from "../demo/events.ts";
import { CLI_ERRORS } from "../errors.ts";
import { codeCacheOf } from "./code-cache.ts";
import type { DataDir } from "./data-dir.ts";
import { ensureEntry } from "./demo-entries.ts";
import { type DemoWorkload, startNamed, startUnnamed } from "./demo-workload.ts";
import { freePort } from "./free-port.ts";
import { NODE_PATH, type Plane } from "./plane.ts";
import { Scenes } from "./scenes.ts";
import { chooseWorkloadUsers, type WorkloadUsers, worthText } from "./workload-users.ts";

/** Options of {@link Demo}. */
export interface DemoOptions {
  readonly trustDomain: string;
  readonly dir: DataDir;
  readonly plane: Plane;
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

type Name = "greeter" | "visitor";
const NAMES: readonly Name[] = ["greeter", "visitor"];
const SVID_TTL = "60s";
const DEADLINE_MS = 60_000;

/** The two workloads that prove themselves to each other, and the third process that nobody named. */
export class Demo implements AsyncDisposable {
  readonly #options: DemoOptions;
  readonly #scenes: Scenes;
  readonly #users: WorkloadUsers;
  readonly #workloads = new AsyncDisposableStack();
  readonly #ends: Promise<string>[] = [];

  constructor(options: DemoOptions) {
    const { trustDomain, say, machine, dir } = options;
    this.#options = options;
    this.#scenes = new Scenes({ trustDomain, say, clock: machine.clock });
    const programs = [machine.greeter, machine.visitor, machine.cli.at(-1) ?? ""];
    this.#users = chooseWorkloadUsers(dir.path, NAMES, programs);
  }

  /** Resolves with its name when one of the workloads has ended. */
  get ended(): Promise<string> {
    return Promise.race(this.#ends);
  }

  /** Registers both workloads, once and for all runs. */
  async register(server: SocketClient): Promise<void> {
    const { trustDomain } = this.#options;
    await Promise.all(
      NAMES.map((name) =>
        ensureEntry(server, {
          spiffeId: { trustDomain, path: `/${name}` },
          parentId: { trustDomain, path: NODE_PATH },
          selectors: [
            { type: "launcher", value: `name:${name}` },
            { type: "unix", value: `uid:${this.#users?.[name] ?? ownUid()}` },
          ],
          ttl: SVID_TTL,
        }),
      ),
    );
  }

  /**
   * Starts all three and shows what happens, until both workloads were proven and the third process was refused.
   *
   * @throws DEMO_FAILED
   */
  async play(agent: SocketClient): Promise<void> {
    const { trustDomain, say } = this.#options;
    const ids = NAMES.map((name) => `spiffe://${trustDomain}/${name}`);
    say(`entries  ${ids.join(", ")}; SVIDs live 60 s`);
    say(worthText(this.#users, ownUid()));
    const ports = [String(await freePort()), String(await freePort())];
    const target = [`spiffe://${trustDomain}/greeter`, ...ports];
    const scenes = this.#scenes;
    const stranger = startUnnamed({
      ...this.#common("visitor", target, (event) => {
        scenes.stranger(event);
      }),
      logFile: join(this.#options.dir.path, "third.log"),
    });
    this.#workloads.defer(() => stranger.stop());
    await Promise.all([
      this.#start("greeter", ports, (event) => {
        scenes.greeter(event);
      }),
      this.#start("visitor", target, (event) => {
        scenes.visitor(event);
      }),
    ]);
    await this.#before(scenes.answered, "the visitor was not greeted over gRPC and HTTPS");
    await this.#before(scenes.refused, "the third process was not refused");
    const answer = await agent.client(Diagnosis).why({
      about: { case: "pid", value: stranger.pid },
      want: `spiffe://${trustDomain}/visitor`,
    });
    scenes.explain(stranger.pid, answer);
    await stranger.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workloads.disposeAsync();
  }

  async #start(
    name: Name,
    args: readonly string[],
    onEvent: (event: DemoEvent) => void,
  ): Promise<void> {
    const { plane, machine } = this.#options;
    const workload: DemoWorkload = await startNamed({
      ...this.#common(name, args, onEvent),
      name,
      cli: machine.cli,
      adminSocket: plane.agentAdminSocket,
    });
    this.#workloads.defer(() => workload.stop());
    this.#ends.push(workload.ended.then(() => name));
  }

  #common(
    name: Name,
    args: readonly string[],
    onEvent: (event: DemoEvent) => void,
  ): Parameters<typeof startUnnamed>[0] {
    const { plane, machine, dir, env } = this.#options;
    const uid = this.#users?.[name];
    return {
      args,
      onEvent,
      program: machine[name],
      uid,
      codeCache: codeCacheOf(env["NODE_COMPILE_CACHE"], uid),
      workloadSocket: plane.workloadSocket,
      logFile: join(dir.path, `${name}.log`),
    };
  }

  async #before(wanted: Promise<void>, failure: string): Promise<void> {
    const { signal, dir } = this.#options;
    const enough = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
    const inTime = wanted.then(() => true);
    if (await Promise.race([inTime, whenAborted(enough).then(() => false)])) return;
    const why = signal.aborted ? "stopped before the demo was done" : failure;
    throw new BonafideError(CLI_ERRORS, "DEMO_FAILED", why, {
      details: { next: `read the logs in ${dir.path}` },
    });
  }
}

function ownUid(): number {
  return process.getuid?.() ?? 0;
}
