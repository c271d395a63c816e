import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type PlantedTree, plantTree } from "./testing/planted-tree.ts";

// The launcher runs against an npm that only notes that it was called, and a node that prints its arguments.

const NODE = `#!/bin/sh
echo "options=[$NODE_OPTIONS$LD_PRELOAD] called=[$BONAFIDE_CALLED_AS] args=$*"
`;
const NPM = `#!/bin/sh
echo "$*" >> calls
mkdir -p node_modules/.bin
cp planted-node node_modules/.bin/node
`;

function plantCheckout(): PlantedTree {
  const tree = plantTree({ "package-lock.json": "one", "planted-node": NODE, "bin/npm": NPM });
  const launcher = fileURLToPath(new URL("../bonafide", import.meta.url));
  copyFileSync(launcher, join(tree.path, "bonafide"));
  for (const path of ["bin/npm", "planted-node", "bonafide"])
    chmodSync(join(tree.path, path), 0o755);
  return tree;
}

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function launch(
  tree: PlantedTree,
  options: { readonly program?: string; readonly npm?: boolean } = {},
): Promise<Finished> {
  const { program = join(tree.path, "bonafide"), npm = true } = options;
  const path = npm ? `${join(tree.path, "bin")}:/usr/bin:/bin` : join(tree.path, "tools-only");
  const child = spawn(program, ["whoami", "a b"], {
    cwd: "/",
    env: { PATH: path, NODE_OPTIONS: "--inspect", LD_PRELOAD: "" },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

function installs(tree: PlantedTree): number {
  return readFileSync(join(tree.path, "calls"), "utf8").trim().split("\n").length;
}

test("without node_modules it installs once, says so on stderr, and clears what alters node", async () => {
  using tree = plantCheckout();
  const first = await launch(tree);
  assert.equal(first.code, 0, first.err);
  assert.equal(
    first.out,
    `options=[] called=[${tree.path}/bonafide] args=--disable-sigusr1 ${tree.path}/apps/cli/src/main.ts whoami a b\n`,
  );
  assert.equal(first.err, "bonafide: installing the pinned dependencies (once)\n");
  const second = await launch(tree);
  assert.equal(second.err, "");
  assert.equal(installs(tree), 1);
});

test("a changed lock file installs again", async () => {
  using tree = plantCheckout();
  await launch(tree);
  tree.write({ "package-lock.json": "two" });
  assert.equal((await launch(tree)).code, 0);
  assert.equal(installs(tree), 2);
});

test("it finds its checkout through a chain of symbolic links", async () => {
  using tree = plantCheckout();
  using elsewhere = plantTree({});
  symlinkSync(join(tree.path, "bonafide"), join(elsewhere.path, "one"));
  symlinkSync("one", join(elsewhere.path, "two"));
  const { code, out } = await launch(tree, { program: join(elsewhere.path, "two") });
  assert.equal(code, 0);
  assert.ok(out.includes(`${tree.path}/apps/cli/src/main.ts`));
});

test("two at once install once", async () => {
  using tree = plantCheckout();
  const both = await Promise.all([launch(tree), launch(tree)]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  );
  assert.equal(installs(tree), 1);
});

test("without npm it says what it needs and exits 69", async () => {
  using tree = plantCheckout();
  tree.write({ "tools-only/readme": "" });
  for (const tool of ["dirname", "cmp", "readlink", "env", "sh"]) {
    symlinkSync(`/usr/bin/${tool}`, join(tree.path, "tools-only", tool));
  }
  const { code, err } = await launch(tree, { npm: false });
  assert.equal(code, 69);
  assert.ok(err.includes("npm"));
});

test("an install that brings no node for this machine exits 69", async () => {
  using tree = plantCheckout();
  tree.write({ "bin/npm": "#!/bin/sh\ntrue\n" });
  chmodSync(join(tree.path, "bin/npm"), 0o755);
  const { code, err } = await launch(tree);
  assert.equal(code, 69);
  assert.ok(err.includes("no Node 26"));
});

test("a failing install fails, and leaves no lock behind", async () => {
  using tree = plantCheckout();
  tree.write({ "bin/npm": "#!/bin/sh\nexit 7\n" });
  assert.equal((await launch(tree)).code, 7);
  assert.equal((await launch(tree)).code, 7, "at once, not after waiting for a lock");
});
