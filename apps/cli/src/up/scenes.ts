import type { Clock } from "@bonafide/lifetime";
import type { WhyResponse } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { formatDurationMs } from "../arguments/duration.ts";
import type { DemoEvent } from "../demo/events.ts";

/** Options of {@link Scenes}. */
export interface ScenesOptions {
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/** Turns what the demo's workloads tell into few lines: each first time, each rotation, each failure. */
export class Scenes {
  readonly #say: (line: string) => void;
  readonly #clock: Clock;
  readonly #greeterId: string;
  readonly #answered = Promise.withResolvers<void>();
  readonly #refused = Promise.withResolvers<void>();
  readonly #calledBy = new Set<string>();
  readonly #answeredOver = new Set<string>();
  readonly #identities = new Map<string, number>();
  #calls = 0;
  #failures = 0;

  constructor(options: ScenesOptions) {
    this.#say = options.say;
    this.#clock = options.clock;
    this.#greeterId = `spiffe://${options.trustDomain}/greeter`;
  }

  /** Resolves when the visitor was greeted both ways by the name that it proved. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Resolves when the third process was refused. */
  get refused(): Promise<void> {
    return this.#refused.promise;
  }

  /** Takes an event of the greeter. */
  greeter(event: DemoEvent): void {
    switch (event.event) {
      case "serving":
        break;
      case "called":
        this.#calledBy.add(`${event.over} ${event.caller}`);
        break;
      case "identity":
        this.#identity("greeter", event);
        break;
      default:
        this.#trouble("greeter", event);
    }
  }

  /** Takes an event of the visitor. */
  visitor(event: DemoEvent): void {
    switch (event.event) {
      case "answered":
        this.#calls++;
        if (!this.#answeredOver.has(event.over)) {
          this.#answeredOver.add(event.over);
          this.#say(`visitor -> greeter over ${event.over}: ${event.text}`);
        }
        if (this.#answeredOver.size === 2) this.#answered.resolve();
        break;
      case "identity":
        this.#identity("visitor", event);
        break;
      default:
        this.#trouble("visitor", event);
    }
  }

  /** Takes an event of the process that nobody named. */
  stranger(event: DemoEvent): void {
    if (event.event === "refused") this.#refused.resolve();
    // It must never get this far; said loudly, and the demo then fails by its deadline.
    if (event.event === "identity") this.#say(`WRONG: the third process got ${event.id}`);
  }

  /** Shows why the third process was refused. */
  explain(pid: number, answer: WhyResponse): void {
    const cause = answer.firstCause;
    this.#say(`third process (pid ${pid}, same program, same user): refused`);
    this.#say(`  why: ${cause?.text ?? "no reason was given"} (${cause?.code ?? "none"})`);
    if (cause?.hint !== undefined && cause.hint !== "") this.#say(`  ${cause.hint}`);
    if (answer.decision !== undefined) this.#say(`  more: bonafide why ${answer.decision.id}`);
  }

  #identity(name: string, { expiresAtMs }: { readonly expiresAtMs: number }): void {
    const before = this.#identities.get(name);
    this.#identities.set(name, expiresAtMs);
    const left = formatDurationMs(expiresAtMs - this.#clock.now());
    this.#say(
      before === undefined
        ? `${name.padEnd(8)} has its identity, good for ${left}`
        : `${name.padEnd(8)} rotated, good for ${left}; ${this.#calls} calls so far, ${this.#failures} failed`,
    );
  }

  #trouble(name: string, event: DemoEvent): void {
    if (event.event === "refused") this.#say(`${name}: no identity yet (${event.code})`);
    if (event.event !== "failed") return;
    this.#failures++;
    this.#say(`${name} -> ${this.#greeterId} over ${event.over}: ${event.code} ${event.text}`);
  }
}
