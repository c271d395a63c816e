import type { Clock } from "@bonafide/lifetime";
import type { Output } from "../output.ts";

/** What a flag's value is. Durations are written `90s`, `15m`, `24h`, `7d`. */
export type FlagKind = "string" | "boolean" | "integer" | "duration";

/** One flag of a command. */
export interface FlagSpec {
  readonly kind: FlagKind;
  /** What it means, a half sentence. */
  readonly help: string;
  /** Shown in help for the value, as in `--ttl DURATION`. */
  readonly placeholder?: string;
  /** May be given several times. */
  readonly repeated?: boolean;
  readonly required?: boolean;
  /** Spelling of SPIRE's command line, without the dash; accepted with one dash or two. */
  readonly spire?: string;
  /** Shown in help; the command itself applies it. */
  readonly standard?: string;
}

/** Flags of a command by name (kebab-case, without dashes). */
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

type Value<S extends FlagSpec> = S["kind"] extends "boolean"
  ? boolean
  : S["kind"] extends "string"
    ? string
    : number;

/** Parsed flags: repeated ones are lists, optional ones may be absent. Durations are milliseconds. */
export type FlagValues<F extends FlagSpecs> = {
  readonly [K in keyof F]: F[K]["repeated"] extends true
    ? readonly Value<F[K]>[]
    : F[K]["kind"] extends "boolean"
      ? boolean
      : F[K]["required"] extends true
        ? Value<F[K]>
        : Value<F[K]> | undefined;
};

/** What the program runs on; the suites bring another one. */
export interface Machine {
  readonly clock: Clock;
  /** How this program is started again: Node's flags, then its entry file. */
  readonly cli: readonly [...string[], string];
  /** Programs of the demo's workloads. */
  readonly greeter: string;
  readonly visitor: string;
}

/** What a running command gets. */
export interface CommandContext<F extends FlagSpecs = FlagSpecs> {
  readonly flags: FlagValues<F>;
  /** Words after the flags. */
  readonly operands: readonly string[];
  /** Words after `--`, untouched. */
  readonly rest: readonly string[];
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly machine: Machine;
}

/** One command of the program. */
export interface Command<F extends FlagSpecs = FlagSpecs> {
  /** The words that call it, such as `entry create`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Shown after the name in help, such as `[flags] -- CMD [ARG...]`. */
  readonly usage?: string;
  readonly flags: F;
  /** How many operands it takes, default none. */
  readonly operands?: { readonly min: number; readonly max: number };
  /** Whether words after `--` are taken. */
  readonly takesRest?: boolean;
  /** Lines that can be typed as they are. */
  readonly examples: readonly string[];
  /** @returns the exit code */
  run(context: CommandContext<F>): Promise<number>;
}

/** Keeps a command's flag types while it is written, and gives it the type that all commands share. */
export function defineCommand<const F extends FlagSpecs>(command: Command<F>): Command {
  return command;
}
