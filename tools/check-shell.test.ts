import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

test("scripts that parse are accepted", () => {
  using tree = plantTree({
    bonafide: "#!/bin/sh\ntrue\n",
    ".ci/run": "#!/usr/bin/env bash\ntrue\n",
  });
  const { code, text } = tree.run("check-shell.ts");
  assert.ok(text.endsWith("shell: 2 scripts, 0 problems\n"));
  assert.equal(code, 0);
});

for (const [name, files] of Object.entries({
  "a script that does not parse": { bonafide: "#!/bin/sh\nif true\n" },
  "a script without a shell in its first line": {
    bonafide: "#!/bin/sh\ntrue\n",
    "tools/a.sh": "true\n",
  },
  "no script at all": { "tools/a.ts": "" },
})) {
  test(`refuses ${name}`, () => {
    using tree = plantTree(files);
    assert.equal(tree.run("check-shell.ts").code, 1);
  });
}
