import { globSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { readExports } from "./read-exports.ts";
import { reportCheck } from "./report.ts";

// Every code of an error table is thrown by production code and named by a test. Exceptions are listed, with a reason;
// one that is none any more is refused, or the list would hide the day its code is thrown or tested no longer.
// `--write` takes those off, and adds nothing.

const LIST = "tools/error-codes.json";

/** Codes that one of the two is not asked of: code to reason. */
interface Exceptions {
  readonly notThrown: Readonly<Record<string, string>>;
  readonly notTested: Readonly<Record<string, string>>;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file, checked below
const exceptions = JSON.parse(readFileSync(LIST, "utf8")) as Exceptions;
const problems: string[] = [];
const production = globSync("{packages,plugins,apps}/*/src/**/*.ts", {
  exclude: ["**/*.test.ts", "**/testing/**", "**/src/gen/**"],
});
const tests = globSync([
  "{packages,plugins,apps}/*/src/**/*.test.ts",
  "{packages,plugins,apps}/*/src/**/testing/**/*.ts",
  "{conformance,suites,examples}/**/*.{ts,go,py}",
]);
const tables = production.flatMap((file) => readExports(file).errors);
const codes = new Set(tables.map(({ code }) => code));
const thrown = namedIn(production, /"([A-Z][A-Z0-9_]+)"/g);
const tested = namedIn(tests, /\b([A-Z][A-Z0-9_]+)\b/g);

if (process.argv.includes("--write")) {
  const kept = {
    notThrown: stillMissing(exceptions.notThrown, thrown),
    notTested: stillMissing(exceptions.notTested, tested),
  };
  writeFileSync(LIST, `${JSON.stringify(kept, null, 2)}\n`);
  Object.assign(exceptions, kept);
}
judge("notThrown", thrown, "no production code throws it");
judge("notTested", tested, "no test names it");
reportCheck(
  "error codes",
  { codes: codes.size, production: production.length, tests: tests.length },
  problems,
);

function stillMissing(
  listed: Readonly<Record<string, string>>,
  named: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(listed).filter(([code]) => codes.has(code) && !named.has(code)),
  );
}

function judge(list: keyof Exceptions, named: ReadonlySet<string>, problem: string): void {
  const listed = exceptions[list];
  for (const code of codes) {
    if (!named.has(code) && listed[code] === undefined) problems.push(`${code}: ${problem}`);
  }
  for (const [code, reason] of Object.entries(listed)) {
    if (reason.trim() === "") problems.push(`${LIST}: ${code} gives no reason`);
    if (!codes.has(code)) problems.push(`${LIST}: ${code} is in no table: npm run docs`);
    else if (named.has(code)) {
      problems.push(`${LIST}: ${code} is no exception to ${list} any more: npm run docs`);
    }
  }
}

/** All words of the files that a pattern catches. */
function namedIn(files: readonly string[], pattern: RegExp): ReadonlySet<string> {
  const texts = files.map((file) => readFileSync(file, "utf8"));
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, word = ""]) => word)));
}
