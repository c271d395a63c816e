import { test } from "node:test";
import { clientTests } from "../client-tests.ts";

const tests = clientTests({
  language: "Python",
  folder: import.meta.dirname,
  toolchain: ["python3", "-m", "venv", "--help"],
  command: ["dist/bin/python3", "main.py"],
});

for (const [name, run] of tests) test(name, run);
