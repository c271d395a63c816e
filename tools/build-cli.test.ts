import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { plantTree } from "./testing/planted-tree.ts";

const MAIN = "apps/cli/src/main.ts";
const sound = {
  "apps/cli/src/lazy.ts": `export const word: string = "lazy";`,
  "apps/cli/src/work/worker.ts": `import { word } from "../lazy.ts";
    process.stdout.write("worker " + word + "\\n");`,
  [MAIN]: `import { Worker } from "node:worker_threads";
    new Worker(new URL("./work/worker.ts", import.meta.url));
    const { word } = await import("./lazy.ts");
    process.stdout.write("main " + word + "\\n");`,
};

test("the bundle runs elsewhere with its lazy parts and its workers", () => {
  using tree = plantTree(sound);
  const { code, text } = tree.run("build-cli.ts");
  assert.equal(code, 0, text);
  using elsewhere = plantTree({});
  cpSync(join(tree.path, "dist"), elsewhere.path, { recursive: true });
  const printed = execFileSync(process.execPath, [join(elsewhere.path, "bonafide.mjs")], {
    encoding: "utf8",
  });
  assert.deepEqual(printed.trim().split("\n").toSorted(), ["main lazy", "worker lazy"]);
});

const koffiIsHere = existsSync(
  new URL(`../node_modules/@koromix/koffi-${process.platform}-${process.arch}`, import.meta.url),
);
test("koffi goes along with its binary", { skip: !koffiIsHere && "no koffi here" }, () => {
  using tree = plantTree({
    ...sound,
    [MAIN]: `import "./lazy.ts";
      const koffi = await import("koffi");
      process.stdout.write(typeof koffi.load("libc.so.6").func("int getpid()")());`,
  });
  const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
  symlinkSync(modules, join(tree.path, "node_modules"));
  const { code, text } = tree.run("build-cli.ts");
  assert.equal(code, 0, text);
  using elsewhere = plantTree({});
  cpSync(join(tree.path, "dist"), elsewhere.path, { recursive: true });
  const printed = execFileSync(process.execPath, [join(elsewhere.path, "bonafide.mjs")], {
    encoding: "utf8",
  });
  assert.equal(printed, "number");
});

for (const [name, files] of Object.entries({
  "a fake": {
    [MAIN]: `import "./testing/fake.ts"; import "./lazy.ts";`,
    "apps/cli/src/testing/fake.ts": "export {};",
  },
  "a clock that runs ahead": {
    [MAIN]: `import "./shifted-clock.ts"; import "./lazy.ts";`,
    "apps/cli/src/shifted-clock.ts": `console.log("8 days");`,
  },
})) {
  test(`refuses ${name} in the bundle`, () => {
    using tree = plantTree({ ...sound, ...files });
    const { code, text } = tree.run("build-cli.ts");
    assert.equal(code, 1, text);
    assert.ok(text.includes("is in the bundle"));
  });
}
