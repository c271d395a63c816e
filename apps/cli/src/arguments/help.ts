import type { Command, FlagSpec } from "./command.ts";
import { COMMON_FLAGS } from "./parse-flags.ts";

/** One line of the list of commands. */
export interface CommandSummary {
  readonly name: string;
  readonly summary: string;
}

/** The text of `bonafide --help`, or of a group such as `bonafide entry`. */
export function listHelp(commands: readonly CommandSummary[], version: string): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    `bonafide ${version}: who am I, who is calling, may they, and why.`,
    "",
    "Start here: bonafide up",
    "",
    "Commands:",
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "`bonafide COMMAND --help` shows flags and examples. Every command takes --json.",
    "Exit codes: 0 done, 1 the answer is no, 64 command line, 65 input, 69 not reachable,",
    "70 a fault of ours, 73 cannot write, 75 busy, 77 not permitted, 78 configuration.",
  ].join("\n");
}

/** The text of `bonafide COMMAND --help`. */
export function commandHelp(command: Command): string {
  const flags = Object.entries<FlagSpec>({ ...command.flags, ...COMMON_FLAGS });
  const shapes = flags.map(([name, spec]) => flagShape(name, spec));
  const width = Math.max(...shapes.map((shape) => shape.length));
  return [
    `bonafide ${command.name} ${command.usage ?? "[flags]"}`,
    "",
    command.summary,
    "",
    "Flags:",
    ...flags.map(([, spec], i) => `  ${(shapes[i] ?? "").padEnd(width)}  ${flagText(spec)}`),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
  ].join("\n");
}

/** How a flag is written, such as `--ttl DURATION`. */
export function flagShape(name: string, spec: FlagSpec): string {
  if (spec.kind === "boolean") return `--${name}`;
  return `--${name} ${spec.placeholder ?? (spec.kind === "string" ? "TEXT" : spec.kind.toUpperCase())}`;
}

/** What a flag means, with its remarks. */
export function flagText(spec: FlagSpec): string {
  const remarks = [
    spec.required === true ? "required" : "",
    spec.repeated === true ? "repeatable" : "",
    spec.standard === undefined ? "" : `default ${spec.standard}`,
    spec.spire === undefined ? "" : `also -${spec.spire}`,
  ].filter((remark) => remark !== "");
  return remarks.length === 0 ? spec.help : `${spec.help} (${remarks.join(", ")})`;
}
