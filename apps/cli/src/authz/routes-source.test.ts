import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { readSource } from "./routes-source.ts";

test("what is no YAML, grows beyond measure, or is no API is refused with a code", () => {
  const bomb = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"];
  for (const [of, name] of ["ab", "bc", "cd", "de"].map((pair) => pair.split(""))) {
    bomb.push(`${name}: &${name} [${`*${of}, `.repeat(9)}]`);
  }
  const refused = [
    ["openapi", "paths: [", "FILE_UNREADABLE"],
    ["openapi", "paths: {}\npaths: {}", "FILE_UNREADABLE"],
    ["openapi", bomb.join("\n"), "FILE_UNREADABLE"],
    ["app", "service: {", "FILE_UNREADABLE"],
    ["openapi", "just words", "MODEL_INVALID"],
    ["app", "just words", "USAGE"],
    ["wsdl", "", "USAGE"],
  ] as const;
  for (const [format, text, code] of refused) {
    assert.throws(
      () => readSource(format, text),
      (error) => isBonafideError(error, code),
      text,
    );
  }
});
