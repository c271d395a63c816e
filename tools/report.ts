import process from "node:process";

/**
 * Prints the problems of a check and its summary line, and sets the exit code.
 *
 * @param seen  How many things were looked at: a check that saw nothing fails, it does not pass.
 */
export function reportCheck(
  name: string,
  seen: Readonly<Record<string, number>>,
  problems: readonly string[],
): void {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  const counts = Object.entries(seen).map(([what, count]) => `${count} ${what}`);
  const nothing = Object.entries(seen).filter(([, count]) => count === 0);
  for (const [what] of nothing)
    process.stderr.write(`${name}: saw no ${what}, which is a failure\n`);
  process.stdout.write(`${name}: ${counts.join(", ")}, ${problems.length} problems\n`);
  process.exitCode = problems.length > 0 || nothing.length > 0 || counts.length === 0 ? 1 : 0;
}
