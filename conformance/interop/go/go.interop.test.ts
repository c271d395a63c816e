import { test } from "node:test";
import { clientTests } from "../client-tests.ts";

const tests = clientTests({
  language: "Go",
  folder: import.meta.dirname,
  toolchain: ["go", "version"],
  command: ["dist/client"],
});

for (const [name, run] of tests) test(name, run);
