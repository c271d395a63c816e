/** A command of the README, and the lines it shows below it. */
export interface Example {
  readonly command: string;
  readonly expected: readonly string[];
}

/** Reads the fenced blocks marked `console`: lines that start with `$ ` are commands, others are output. */
export function readExamples(markdown: string): Example[] {
  const examples: { command: string; expected: string[] }[] = [];
  let inside = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) inside = line.trim() === "```console";
    else if (inside && line.startsWith("$ ")) {
      examples.push({ command: line.slice(2).replace(/\s+#.*$/, ""), expected: [] });
    } else if (inside && line.trim() !== "") examples.at(-1)?.expected.push(line);
  }
  return examples;
}

/**
 * Finds each expected line in the output, a line of its own for each, in any order: what processes say at the same
 * time comes as it comes. Other lines may stand between.
 *
 * Numbers and long hexadecimal words may differ; `…` stands for anything.
 *
 * @returns The first line that is missing, or undefined.
 */
export function matchOutput(expected: readonly string[], output: string): string | undefined {
  const lines = output.split("\n");
  for (const line of expected) {
    const shape = shapeOf(line);
    const found = lines.findIndex((actual) => shape.test(actual));
    if (found === -1) return line;
    lines.splice(found, 1);
  }
  return undefined;
}

function shapeOf(line: string): RegExp {
  const pattern = line
    .trim()
    .split(/(…|\b[0-9a-f]{8,}(?:-[0-9a-f]+)*\b|\d+(?:\.\d+)?|\s+)/)
    .map((part, index) => {
      if (index % 2 === 0) return RegExp.escape(part);
      if (part === "…") return ".*";
      if (/^\s+$/.test(part)) return "\\s+";
      return /^[\d.]+$/.test(part) && part.length < 8 ? "\\d+(?:\\.\\d+)?" : "[0-9a-f-]+";
    });
  return new RegExp(`^\\s*${pattern.join("")}\\s*$`);
}
