import type { DescService } from "@bufbuild/protobuf";
import {
  type HostileAnswer,
  type Connect,
  type HostileEnd,
  HostileSession,
  sendHostile,
} from "./hostile-client.ts";
import { hostileInput, methodOf } from "./hostile-frames.ts";
import type { Patience } from "./patience.ts";
import { numbers } from "./random-numbers.ts";

/** One listening socket and what it serves. */
export interface HostileTarget {
  readonly name: string;
  readonly connect: Connect;
  readonly services: readonly DescService[];
  /** One input in so many is a connection of its own; the others are calls on a kept one. */
  readonly connectionEvery: number;
  /** Methods whose stream rightly says nothing until something happens. */
  readonly waiting?: readonly string[];
}

/** What came of an attack. */
export interface AttackReport {
  /** How often each end came, by `target input end`. */
  readonly ends: ReadonlyMap<string, number>;
  /** Inputs that were neither answered nor closed in time. */
  readonly late: readonly string[];
}

/** Options of {@link attack}. */
export interface AttackOptions extends Patience {
  readonly seed: number;
  readonly inputs: number;
  /** Inputs on their way at a time. */
  readonly parallel: number;
  /** Time after which a sender that stays silent is let go, ms; the server's own limit is longer. */
  readonly silentMs: number;
}

/** Sends that many hostile inputs to each target in turn. The same seed gives the same inputs. */
export async function attack(
  targets: readonly HostileTarget[],
  options: AttackOptions,
): Promise<AttackReport> {
  const ends = new Map<string, number>();
  const late: string[] = [];
  const { seed, inputs, parallel, silentMs } = options;
  let sent = 0;
  let noted = 0;
  const note = (what: string, end: HostileEnd | HostileAnswer, mayStay: boolean): void => {
    const key = `${what}: ${end}`;
    ends.set(key, (ends.get(key) ?? 0) + 1);
    noted++;
    if (end === "open" && !mayStay) late.push(what);
  };
  const worker = async (): Promise<void> => {
    await using stack = new AsyncDisposableStack();
    const sessions = targets.map(({ connect }) => stack.use(new HostileSession(connect)));
    while (sent < inputs) {
      const serial = sent++;
      const next = numbers(seed + serial);
      // The first numbers of neighbouring seeds are alike.
      for (let skipped = 0; skipped < 8; skipped++) next(2);
      const at = serial % targets.length;
      const [target, session] = [targets[at], sessions[at]];
      if (target === undefined || session === undefined) throw new Error("no targets");
      if (next(target.connectionEvery) === 0) {
        const input = hostileInput(next, target.services);
        const end = await sendHostile(
          target.connect,
          input,
          input.ends ? options : { withinMs: silentMs },
        );
        note(`${target.name} ${input.kind}`, end, !input.ends);
      } else {
        const method = methodOf(next, target.services);
        const answer = await session.call(next, method, options);
        const mayWait = target.waiting?.includes(method.name) === true;
        note(`${target.name} ${method.name}`, answer, mayWait);
      }
    }
  };
  using standstill = new Standstill(() => noted);
  await Promise.race([Promise.all(Array.from({ length: parallel }, worker)), standstill.came]);
  return { ends, late };
}

/** However long an attack takes, so long nothing may come to an end. */
const STANDSTILL_MS = 60_000;

/** Fails when a count stands still. */
class Standstill implements Disposable {
  readonly came: Promise<never>;
  readonly #timer: NodeJS.Timeout;

  constructor(count: () => number) {
    let last = count();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.came = promise;
    this.#timer = setInterval(() => {
      if (count() === last) reject(new Error(`nothing came to an end after ${last} inputs`));
      last = count();
    }, STANDSTILL_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** One line for each way that inputs ended, sorted. */
export function describeAttack({ ends }: AttackReport): string {
  return [...ends]
    .map(([what, count]) => `${what} x ${count}`)
    .toSorted()
    .join("\n");
}

/** The seed of this run: `SEED` in the environment, or a new one. */
export function attackSeed(env: Readonly<Record<string, string | undefined>>): number {
  return Number(env["SEED"] ?? Date.now() % 2 ** 31);
}
