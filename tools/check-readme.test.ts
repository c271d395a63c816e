import assert from "node:assert/strict";
import { test } from "node:test";
import { matchOutput, readExamples } from "./readme-examples.ts";
import { plantTree } from "./testing/planted-tree.ts";

function readme(block: string): Record<string, string> {
  return { "README.md": `# T\n\n\`\`\`console\n${block}\n\`\`\`\n\n\`\`\`sh\n$ false\n\`\`\`\n` };
}

test("only console blocks are examples, and a comment is not part of a command", () => {
  assert.deepEqual(readExamples(readme("$ one # why\na\nb\n\n$ two")["README.md"] ?? ""), [
    { command: "one", expected: ["a", "b"] },
    { command: "two", expected: [] },
  ]);
});

test("numbers, long hexadecimal words and spacing may differ, words may not", () => {
  const expected = [
    "took 17 s",
    "agent spiffe://td/agent/join_token/0a1b2c3d-4e5f",
    "socket …/a.sock",
  ];
  const output =
    "took  3.5 s\nmore\nagent spiffe://td/agent/join_token/ffff00001\nsocket /run/x/a.sock\n";
  assert.equal(matchOutput(expected, output), undefined);
  assert.equal(matchOutput(["took 17 h"], output), "took 17 h");
  assert.equal(matchOutput(expected.toReversed(), output), undefined, "in any order");
  assert.equal(matchOutput(["more", "more"], output), "more", "a line of its own for each");
});

test("a data folder that is there would spoil a first run, one that a command made is removed", () => {
  using tree = plantTree({ ...readme("$ mkdir .bonafide"), ".bonafide/store": "" });
  assert.equal(tree.run("check-readme.ts").code, 1);
  using fresh = plantTree(readme("$ mkdir .bonafide"));
  assert.equal(fresh.run("check-readme.ts").code, 0);
  assert.equal(fresh.run("check-readme.ts").code, 0);
});

test("a README whose commands print what it shows is accepted", () => {
  using tree = plantTree(readme("$ echo hello 12\nhello 7\n$ true"));
  assert.equal(tree.run("check-readme.ts").code, 0);
});

for (const [name, block] of Object.entries({
  "another output": "$ echo goodbye\nhello",
  "a command that fails": "$ false",
  "no command": "",
})) {
  test(`refuses ${name}`, () => {
    using tree = plantTree(readme(block));
    assert.equal(tree.run("check-readme.ts").code, 1);
  });
}
