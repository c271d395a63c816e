import { test } from "node:test";
import { clientTests } from "../client-tests.ts";

const tests = clientTests({
  language: "Rust",
  folder: import.meta.dirname,
  toolchain: ["cargo", "--version"],
  command: ["dist/debug/spiffe-client"],
});

for (const [name, run] of tests) test(name, run);
