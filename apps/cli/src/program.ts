import type { Writable } from "node:stream";
import { nearest } from "@bonafide/agent/selector-kinds";
import type { Command, CommandContext, Machine } from "./arguments/command.ts";
import { commandHelp, listHelp } from "./arguments/help.ts";
import { completeFlags, parseFlags, usage } from "./arguments/parse-flags.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { createOutput, type Output } from "./output.ts";
import { spireAnswer } from "./spire-verbs.ts";

/** A command that is loaded only when it is called, since gRPC alone costs a tenth of a second. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** What the program runs in. */
export interface ProgramOptions {
  readonly commands: readonly CommandEntry[];
  readonly version: string;
  /** The word that calls this program again, as in `./bonafide`. */
  readonly program: string;
  /** Words after the program's name. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly signal: AbortSignal;
  readonly machine: Machine;
}

/** Finds the command, parses its line, runs it. Never throws. @returns the exit code */
export async function runProgram(given: ProgramOptions): Promise<number> {
  const options = { ...given, words: withJsonFlag(given.words) };
  const { words, stdout, stderr, program } = options;
  const flagsEnd = words.includes("--") ? words.indexOf("--") : words.length;
  const json = words.slice(0, flagsEnd).some((word) => word === "--json" || word === "--json=true");
  const output = createOutput({ stdout, stderr, json, program });
  try {
    const entry = findCommand(options.commands, words);
    if (entry === undefined) return listCommands(options, output);
    return await runCommand(await entry.load(), entry, { ...options, output });
  } catch (error) {
    output.failure(error);
    return exitCodeOf(error);
  }
}

/** `-output json` and `-output pretty`, as scripts for SPIRE have them, said our way; anything else is left as it is. */
function withJsonFlag(words: readonly string[]): readonly string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const said: string[] = [];
  for (let i = 0; i < end; i++) {
    const word = words[i] ?? "";
    const [, inline] = /^--?output(?:=(.*))?$/s.exec(word) ?? [undefined, undefined];
    const value = /^--?output$/.test(word) ? words[i + 1] : inline;
    if (!/^--?output(?:=|$)/.test(word) || (value !== "json" && value !== "pretty"))
      said.push(word);
    else {
      if (value === "json") said.push("--json");
      if (inline === undefined) i++;
    }
  }
  return [...said, ...words.slice(end)];
}

/** What is not a command is a question for help, or a typing error. */
function listCommands(options: ProgramOptions, output: Output): number {
  const { commands, version, words } = options;
  const [first, second] = words;
  if (first === "--version") {
    output.result(`bonafide ${version}`, { version });
    return EXIT.ok;
  }
  const group = commands.filter(({ name }) => name.startsWith(`${first ?? ""} `));
  const asksForGroup = group.length > 0 && (second === undefined || second.startsWith("-"));
  const asksForAll = first === undefined || first === "help" || first === "--help";
  if (!asksForGroup && !asksForAll) throw unknownCommand(commands, words);
  const listed = (asksForGroup ? group : commands).map(({ name, summary }) => ({ name, summary }));
  output.advice(listHelp(listed, version), { version, commands: listed });
  return first === undefined ? EXIT.usage : EXIT.ok;
}

async function runCommand(
  command: Command,
  entry: CommandEntry,
  options: ProgramOptions & Pick<CommandContext, "output">,
): Promise<number> {
  const line = parseFlags(options.words.slice(entry.name.split(" ").length), command.flags);
  if (line.flags["help"] === true) {
    options.output.advice(commandHelp(command), { help: commandHelp(command) });
    return EXIT.ok;
  }
  const { min, max } = command.operands ?? { min: 0, max: 0 };
  if (line.operands.length < min || line.operands.length > max) {
    throw usage(`usage: bonafide ${command.name} ${command.usage ?? "[flags]"}`);
  }
  if (line.rest.length > 0 && command.takesRest !== true) throw usage("nothing may follow --");
  return command.run({
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by this command's own specs
    flags: completeFlags(line.flags, command.flags) as CommandContext["flags"],
    operands: line.operands,
    rest: line.rest,
    output: options.output,
    env: options.env,
    signal: options.signal,
    machine: options.machine,
  });
}

/** The longest name wins, so that `api fetch x509` is not taken for `api fetch`. */
function findCommand(
  commands: readonly CommandEntry[],
  words: readonly string[],
): CommandEntry | undefined {
  return commands
    .filter(({ name }) => name.split(" ").every((part, i) => words[i] === part))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
}

function unknownCommand(commands: readonly CommandEntry[], words: readonly string[]): Error {
  const plain = words.filter((word) => !word.startsWith("-"));
  const answer = spireAnswer(plain, (name) => commands.some((command) => command.name === name));
  if (answer !== undefined) return usage(answer);
  const typed = plain.slice(0, 2);
  const near = nearest(
    typed.join(" "),
    commands.map(({ name }) => name),
  );
  const hint = near === undefined ? "see bonafide --help" : `did you mean bonafide ${near}?`;
  return usage(`${typed[0] ?? ""} is no command; ${hint}`);
}
