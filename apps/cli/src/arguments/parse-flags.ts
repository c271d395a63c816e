import { nearest } from "@bonafide/agent/selector-kinds";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";
import type { FlagKind, FlagSpec, FlagSpecs } from "./command.ts";
import { parseDurationMs } from "./duration.ts";

/** A command line after its command's words were taken off. */
export interface ParsedLine {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  readonly rest: readonly string[];
}

/** Flags that every command has. */
export const COMMON_FLAGS = {
  json: { kind: "boolean", help: "print JSON for machines" },
  help: { kind: "boolean", help: "show this text" },
} as const;

/**
 * Reads flags as `--name value`, `--name=value` and, for SPIRE's spellings, `-spelling value`.
 *
 * @throws USAGE  unknown flag (naming the nearest), missing or malformed value, a flag given twice
 */
export function parseFlags(words: readonly string[], specs: FlagSpecs): ParsedLine {
  const known: FlagSpecs = { ...specs, ...COMMON_FLAGS };
  const names = new Map<string, string>();
  for (const [name, spec] of Object.entries(known)) {
    names.set(name, name);
    if (spec.spire !== undefined) names.set(spec.spire, name);
  }
  const flags: Record<string, unknown> = {};
  const operands: string[] = [];
  let rest: readonly string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      rest = words.slice(i + 1);
      break;
    }
    const match = /^--?([a-zA-Z0-9][\w-]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      if (word.startsWith("-") && word !== "-") throw usage(`${word} is no flag`);
      operands.push(word);
      continue;
    }
    const [, given = "", inline] = match;
    const name = names.get(given);
    const spec = name === undefined ? undefined : known[name];
    if (name === undefined || spec === undefined) throw unknownFlag(given, [...names.keys()]);
    const text = spec.kind === "boolean" ? (inline ?? "true") : (inline ?? words[++i]);
    if (text === undefined) throw usage(`--${name} needs a value`);
    const value = readValue(name, spec, text);
    if (spec.repeated === true) flags[name] = [...asList(flags[name]), value];
    else if (name in flags) throw usage(`--${name} is given twice`);
    else flags[name] = value;
  }
  return { flags, operands, rest };
}

/** Fills in what was not given and complains of what had to be. @throws USAGE */
export function completeFlags(
  flags: Readonly<Record<string, unknown>>,
  specs: FlagSpecs,
): Readonly<Record<string, unknown>> {
  const complete: Record<string, unknown> = { ...flags };
  for (const [name, spec] of Object.entries(specs)) {
    if (name in complete) continue;
    if (spec.required === true) throw usage(`--${name} is required`);
    if (spec.repeated === true) complete[name] = [];
    else if (spec.kind === "boolean") complete[name] = false;
  }
  return complete;
}

function readValue(name: string, spec: FlagSpec, text: string): string | number | boolean {
  const value = VALUE_READERS[spec.kind](text);
  if (value === undefined) throw usage(`--${name} needs ${VALUE_NAMES[spec.kind]}, not ${text}`);
  return value;
}

const VALUE_READERS: Readonly<
  Record<FlagKind, (text: string) => string | number | boolean | undefined>
> = {
  string: (text) => text,
  boolean: (text) => (text === "true" || text === "false" ? text === "true" : undefined),
  integer: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  duration: parseDurationMs,
};
const VALUE_NAMES: Readonly<Record<FlagKind, string>> = {
  string: "text",
  boolean: "true or false",
  integer: "a number",
  duration: "a duration such as 90s, 15m, 1h",
};

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unknownFlag(given: string, names: readonly string[]): BonafideError {
  const near = nearest(given, names);
  return usage(
    `--${given} is no flag here${near === undefined ? "" : `; did you mean --${near}?`}`,
  );
}

/** A complaint about the command line. */
export function usage(message: string): BonafideError {
  return new BonafideError(CLI_ERRORS, "USAGE", message);
}
