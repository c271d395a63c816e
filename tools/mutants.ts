import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Check, findChecks } from "./mutants/find-checks.ts";
import { judgeMutant } from "./mutants/judge-mutant.ts";
import { MUTATED, pick } from "./mutants/scope.ts";

// npm run mutants -- [--sample N --seed S] [--update [--new] [--near] [--by FILE]] [WORD...]
// Takes checks out one by one and wants a test to fail. WORD: only checks whose name holds it.
// --update writes tools/mutants/table.json, --new only for checks that are not in it or without a reason yet;
// --near tries tests beside the code only, --by begins with that test file.

const TABLE = "tools/mutants/table.json";
/** The reason of a check that a test is still missing for. */
const UNTESTED = "no test yet";
/** Of a check: the test that noticed, or why none can. */
type Row = { readonly file?: string; readonly test: string } | { readonly survives: string };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string" },
    update: { type: "boolean" },
    new: { type: "boolean" },
    near: { type: "boolean" },
    by: { type: "string", multiple: true },
  },
});
const table = readTable();
const all = globSync([...MUTATED.patterns], { exclude: [...MUTATED.excludes] })
  .toSorted()
  .flatMap((file) => findChecks(file, readFileSync(file, "utf8")));
const named = all.filter(
  ({ id }) =>
    (positionals.length === 0 || positionals.some((word) => id.includes(word))) &&
    (values.new !== true || isOpen(table[id])),
);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chosen = values.sample === undefined ? named : pick(named, Number(values.sample), seed);
process.stdout.write(`mutants: ${all.length} checks, ${chosen.length} taken out, seed ${seed}\n`);

const survivors: string[] = [];
const counts = { killed: 0, excused: 0 };
const queue = [...chosen];
await Promise.all([work(), work()]);
if (values.update === true) writeTable();
for (const id of survivors) process.stdout.write(`NOBODY NOTICES ${id}\n`);
process.stdout.write(
  `mutants: ${counts.killed} noticed by a test, ${counts.excused} excused in ${TABLE}, ${survivors.length} not noticed\n`,
);
process.exitCode = chosen.length === 0 || survivors.length > 0 ? 1 : 0;

async function work(): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) await judge(check);
}

async function judge(check: Check): Promise<void> {
  const row = table[check.id];
  if (row !== undefined && "survives" in row && row.survives !== "" && values.update !== true) {
    counts.excused++;
    return;
  }
  const before = row !== undefined && "file" in row ? row.file : undefined;
  const first = values.by ?? (before === undefined || before === "" ? [] : [before]);
  const verdict = await judgeMutant(check, { first, isNear: values.near });
  if (verdict !== undefined) {
    counts.killed++;
    table[check.id] = verdict;
  } else if (row !== undefined && "survives" in row && row.survives !== "") counts.excused++;
  else {
    survivors.push(check.id);
    table[check.id] = { survives: "" };
  }
  if (values.update === true) writeTable();
}

function isOpen(row: Row | undefined): boolean {
  return row === undefined || ("survives" in row && ["", UNTESTED].includes(row.survives));
}

function readTable(): Record<string, Row> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- written by this program
  return existsSync(TABLE) ? (JSON.parse(readFileSync(TABLE, "utf8")) as Record<string, Row>) : {};
}

/** Checks that are gone are taken off. */
function writeTable(): void {
  const ids = new Set(all.map(({ id }) => id));
  const rows = Object.entries(table)
    .filter(([id]) => ids.has(id))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(TABLE, `${JSON.stringify(Object.fromEntries(rows), undefined, 2)}\n`);
}
