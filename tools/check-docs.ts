import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type ErrorEntry, readExports } from "./read-exports.ts";
import { reportCheck } from "./report.ts";

// Every export has a doc comment, and docs/errors/README.md has every error code.
// `--write` writes that page: causes come from the tables, what a person wrote under "what to do" stays.

const PAGE = "docs/errors/README.md";
const HEAD = `# Error codes

Every failure carries one of these codes: in TypeScript as \`error.code\`, over gRPC as the \`reason\` of a \`google.rpc.ErrorInfo\` whose domain is \`bonafide\`. Match codes, never texts. "Retry" says whether the same call may succeed later without anybody changing it.

Status, retry and cause are written by \`npm run docs\` from the tables in the code; the last column is kept as people wrote it.

| code | status | retry | cause | what to do |
|---|---|---|---|---|
`;
const problems: string[] = [];
const entries: ErrorEntry[] = [];
let symbols = 0;
const files = globSync("{packages,plugins,apps}/*/src/**/*.ts", {
  exclude: ["**/*.test.ts", "**/src/gen/**"],
});
for (const file of files.toSorted()) {
  const { exports, errors, parses } = readExports(file);
  if (!parses) problems.push(`${file}: does not parse`);
  for (const { names, line, documented } of exports) {
    symbols++;
    if (!documented) problems.push(`${file}:${line}: ${names.join(", ")} has no doc comment`);
  }
  entries.push(...errors);
}
const byCode = new Map<string, ErrorEntry>();
for (const entry of entries.toSorted((a, b) => (a.code < b.code ? -1 : 1))) {
  const { code, table, status, retry, cause } = entry;
  if (cause === undefined) problems.push(`${table}: ${code} has no doc comment`);
  const other = byCode.get(code);
  if (other !== undefined && (other.status !== status || other.retry !== retry)) {
    problems.push(`${code}: ${table} and ${other.table} disagree`);
  }
  byCode.set(code, entry);
}
const now = readPage();
const wanted = renderPage([...byCode.values()], now);
if (process.argv.includes("--write")) {
  mkdirSync("docs/errors", { recursive: true });
  writeFileSync(PAGE, wanted);
} else if (now !== wanted) problems.push(`${PAGE} is not up to date: npm run docs`);
reportCheck("docs", { files: files.length, symbols, codes: byCode.size }, problems);

function readPage(): string {
  try {
    return readFileSync(PAGE, "utf8");
  } catch {
    return "";
  }
}

function renderPage(all: readonly ErrorEntry[], before: string): string {
  const written = new Map(
    before.split("\n").flatMap((line) => {
      const cells = line.split(" | ");
      const code = /^\| `(\w+)`/.exec(line)?.[1];
      return code === undefined || cells.length !== 5
        ? []
        : [[code, (cells[4] ?? "").replace(/ \|$/, "")]];
    }),
  );
  const rows = all.map((entry) => {
    const advice = written.get(entry.code) ?? adviceFor(entry);
    const cause = (entry.cause ?? "").replaceAll("|", "\\|");
    const retry = entry.retry ? "yes" : "no";
    return `| \`${entry.code}\` | ${entry.status} | ${retry} | ${cause} | ${advice} |`;
  });
  return `${HEAD}${rows.join("\n")}\n`;
}

function adviceFor({ status, retry }: ErrorEntry): string {
  switch (status) {
    case "internal":
    case "data_loss":
      return "Report it, with the log of the side that answered.";
    case "invalid_argument":
    case "out_of_range":
      return "Mend what was sent; the message names the part.";
    case "unavailable":
    case "resource_exhausted":
    case "aborted":
      return "Try again with back-off.";
    case "unauthenticated":
    case "permission_denied":
      return retry
        ? "Ask `bonafide why` on the node; it may pass by itself."
        : "Ask `bonafide why` on the node, or the operator.";
    default:
      return retry ? "Try again later." : "The message names what is missing.";
  }
}
