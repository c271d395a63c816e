import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "./commands/index.ts";
import { asCalled, programName } from "./program-name.ts";

test("a program is called by its path in a checkout, by its bare name where PATH finds it", () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, "bonafide"],
    ["./bonafide", "./bonafide"],
    ["../clone/bonafide", "../clone/bonafide"],
    ["/opt/clone/bonafide", "/opt/clone/bonafide"],
    ["/usr/local/bin/bonafide", "bonafide"],
    ["bonafide", "bonafide"],
    ["./a b/it's/bonafide", "'./a b/it'\\''s/bonafide'"],
  ];
  for (const [calledAs, name] of cases) {
    const env = { PATH: "/usr/local/bin:/bin", BONAFIDE_CALLED_AS: calledAs };
    assert.equal(programName(env), name);
  }
});

test("commands in a text read as they are typed here; the project's name and IDs stay", () => {
  for (const { name } of COMMANDS) {
    assert.equal(asCalled("./bonafide", `bonafide ${name}`), `./bonafide ${name}`);
  }
  const text = "run bonafide token create && bonafide agent run";
  assert.equal(asCalled("./b", text), "run ./b token create && ./b agent run");
  for (const same of [
    "bonafide up: x",
    "spiffe://bonafide entry",
    "./bonafide up",
    "bonafide is",
  ]) {
    assert.equal(asCalled("./b", same), same);
  }
});
