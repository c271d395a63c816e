import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { type ErrorEntry, readExports } from "./read-exports.ts";
import { reportCheck } from "./report.ts";

// Every export has a doc comment, and docs/errors/README.md has every error code.
// `--write` writes that page: causes come from the tables, what a person wrote under "what to do" stays.

const PAGE = "docs/errors/README.md";
const HEAD = `# Error codes

Every failure carries one of these codes: in TypeScript as \`error.code\`, over gRPC as the \`reason\` of a \`google.rpc.ErrorInfo\` whose domain is \`bonafide\`. Match codes, never texts. "Retry" says whether the same call may succeed later without anybody changing it.

Written by \`npm run docs\` from the tables in the code. A cause that a table does not give, and the last column, are kept as people wrote them here.

| code | package | status | retry | cause | what to do |
|---|---|---|---|---|---|
`;

/** The cells that people wrote, by code and package. */
interface Written {
  readonly cause: string;
  readonly advice: string;
}

const problems: string[] = [];
const entries: (ErrorEntry & { readonly owner: string })[] = [];
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
  const owner = file.split("/")[1] ?? "?";
  if (!file.includes("/testing/")) entries.push(...errors.map((entry) => ({ ...entry, owner })));
}
entries.sort((a, b) => compare(a.code, b.code) || compare(a.owner, b.owner));
settle(PAGE, renderPage(readPage(PAGE)));
reportCheck("docs", { files: files.length, symbols, codes: entries.length }, problems);

/** Writes a page, or tells that it differs from what is wanted. */
function settle(page: string, wanted: string): void {
  if (process.argv.includes("--write")) {
    mkdirSync(dirname(page), { recursive: true });
    writeFileSync(page, wanted);
  } else if (readPage(page) !== wanted) problems.push(`${page} is not up to date: npm run docs`);
}

function readPage(page: string): string {
  try {
    return readFileSync(page, "utf8");
  } catch {
    return "";
  }
}

function renderPage(before: string): string {
  const written = new Map<string, Written>();
  for (const line of before.split("\n")) {
    const [code, owner, , , cause, advice, more] = line.replace(/^\| | \|$/g, "").split(" | ");
    if (code?.startsWith("`") !== true || advice === undefined || more !== undefined) continue;
    written.set(`${code} ${owner ?? ""}`, { cause: cause?.trim() ?? "", advice });
  }
  const rows = entries.map((entry) => {
    const { owner, status } = entry;
    const code = `\`${entry.code}\``;
    const kept = written.get(`${code} ${owner}`);
    const cause = (entry.cause ?? kept?.cause ?? "").replaceAll("|", "/");
    if (cause === "") {
      problems.push(
        `${entry.table}: ${entry.code} has no doc comment, and ${PAGE} no cause for it`,
      );
    }
    const retry = entry.retry ? "yes" : "no";
    return `| ${[code, owner, status, retry, cause, kept?.advice ?? adviceFor(entry)].join(" | ")} |`;
  });
  return `${HEAD}${rows.join("\n")}\n`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function adviceFor({ status, retry }: ErrorEntry): string {
  switch (status) {
    case "data_loss":
      return "Stop, keep the files as they are, and follow the message; restore a backup if it says so.";
    case "internal":
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
