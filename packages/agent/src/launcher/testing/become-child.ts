import { become } from "../become.ts";

/* The inner half of a launch, as a program: SOCKET PROGRAM ARGUMENTS... */
const [, , socketPath = "", program = "", ...args] = process.argv;
const env = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  ),
);
try {
  await become({ socketPath, command: [program, ...args], env });
} catch (error) {
  process.stderr.write(
    `${error instanceof Error && "code" in error ? String(error.code) : String(error)}\n`,
  );
  process.exitCode = 125;
}
