import { test } from "node:test";
import { clientTests } from "../client-tests.ts";

const tests = clientTests({
  language: "Java",
  folder: import.meta.dirname,
  toolchain: ["javac", "-version"],
  command: ["java", "-cp", "dist/classes:dist/lib/*", "Main"],
});

for (const [name, run] of tests) test(name, run);
