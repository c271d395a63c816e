/** One fenced block of a page: a file to write, or a command with what it prints. */
export type PageStep =
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | {
      readonly kind: "command";
      readonly line: string;
      readonly expected: readonly string[];
      readonly exitCode: number;
    };

/**
 * Reads a page about access: a block with a path behind its language is a file, one of language `console` holds commands
 * (`$ ...`) with all they print, `# exit 1` below those that do not end with 0. Any other block cannot be run.
 *
 * @throws Error  a block is none of these
 */
export function readPage(markdown: string): readonly PageStep[] {
  const blocks = [...markdown.matchAll(/^```([a-z]*)(?: (\S+))?\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language = "", path, text = ""]): readonly PageStep[] => {
    if (path !== undefined) return [{ kind: "file", path, text }];
    if (language === "console") return readCommands(text);
    throw new Error(`a block of language "${language}" is neither a file nor commands`);
  });
}

function readCommands(text: string): readonly PageStep[] {
  const steps: { kind: "command"; line: string; expected: string[]; exitCode: number }[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) {
      steps.push({ kind: "command", line: line.slice(2), expected: [], exitCode: 0 });
    } else if (step === undefined) {
      throw new Error(`a block of commands begins with: ${line}`);
    } else if (/^# exit \d+$/.test(line)) step.exitCode = Number(line.slice(7));
    else step.expected.push(line);
  }
  return steps;
}

/** The words of a line as a shell has them: quotes hold words together; nothing else is special. */
export function wordsOf(line: string): readonly string[] {
  return Array.from(line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g), ([word]) =>
    word.replaceAll(/["']/g, ""),
  );
}
