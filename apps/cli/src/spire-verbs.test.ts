import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "./commands/index.ts";
import { EXIT } from "./exit-codes.ts";
import { SPIRE_VERBS, spireAnswer } from "./spire-verbs.ts";
import { testCommands } from "./testing/run-commands.ts";

const names = new Set(COMMANDS.map(({ name }) => name));
const commands = testCommands({});

for (const { program, verb, ours, instead } of SPIRE_VERBS) {
  test(`${program} ${verb}: is there, or answered with what there is`, async () => {
    assert.ok(ours === undefined ? instead !== undefined : names.has(ours));
    if (ours === verb && names.has(verb)) {
      assert.equal((await commands.run(...verb.split(" "), "--help")).code, EXIT.ok);
      return;
    }
    const { code, err } = await commands.run(...verb.split(" "), "-output", "json");
    assert.equal(code, EXIT.usage, err);
    assert.match(err, /in Bonafide: /);
    if (ours !== undefined) assert.match(err, new RegExp(`bonafide ${ours}`));
  });
}

test("a verb that both programs of SPIRE have is answered with both commands", () => {
  const said = spireAnswer(["healthcheck"], (name) => names.has(name));
  assert.match(String(said), /spire-server and spire-agent/);
  assert.match(String(said), /bonafide server healthcheck, or bonafide agent healthcheck/);
});

test("what is none of SPIRE's verbs is not answered as one", () => {
  assert.equal(
    spireAnswer(["entry", "craete"], () => true),
    undefined,
  );
  assert.equal(
    spireAnswer([], () => true),
    undefined,
  );
});
