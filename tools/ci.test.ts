import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { plantTree } from "./testing/planted-tree.ts";

// .ci/run against an npm that answers what a test tells it, in a repository of two files.

const CI = fileURLToPath(new URL("../.ci/run", import.meta.url));

interface Planted {
  /** Lines of a `case` over the arguments of npm. */
  readonly npm: string;
  readonly without?: string;
  readonly files?: readonly string[];
  /** What "may another user read this" answers. */
  readonly setpriv?: string;
}

function runCi(planted: Planted): { readonly code: number | null; readonly text: string } {
  const { npm, without, files = [], setpriv = "true" } = planted;
  using tree = plantTree({
    "bin/npm": `#!/bin/sh\necho "called npm $*"\ncase "$*" in\n${npm}\n*) echo fine ;;\nesac\n`,
    "bin/ldconfig": "#!/bin/sh\necho libatomic.so.1\n",
    "bin/apt-get": "#!/bin/sh\ntrue\n",
    "bin/setpriv": `#!/bin/sh\n${setpriv}\n`,
    "node_modules/.bin/node": "#!/bin/sh\necho v26.0.0\n",
    ".gitignore": "bin\nnode_modules\n",
    ...Object.fromEntries(files.map((name) => [name, ""])),
  });
  const tools = ["node", "go", "cargo", "javac", "mvn", "python3", "openssl", "shellcheck"];
  for (const name of tools) {
    if (name !== without) tree.write({ [`bin/${name}`]: "#!/bin/sh\necho 1\n" });
  }
  mkdirSync(join(tree.path, ".ci"));
  copyFileSync(CI, join(tree.path, ".ci/run"));
  for (const tool of ["sh", "bash", "env", "git", "dirname", "tee", "grep", "tail", "tr", "rm"]) {
    symlinkSync(`/usr/bin/${tool}`, join(tree.path, "bin", tool));
  }
  for (const tool of ["id", "mktemp", "cat", "chmod", "mkdir"]) {
    symlinkSync(`/usr/bin/${tool}`, join(tree.path, "bin", tool));
  }
  execFileSync("chmod", ["-R", "u+x", join(tree.path, "bin"), join(tree.path, "node_modules")]);
  chmodSync(join(tree.path, ".ci/run"), 0o755);
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
      cwd: tree.path,
      stdio: "ignore",
    });
  };
  git("init");
  git("add", "-A");
  git("commit", "-m", "planted");
  const done = spawnSync(join(tree.path, ".ci/run"), {
    encoding: "utf8",
    env: { PATH: join(tree.path, "bin") },
  });
  return { code: done.status, text: done.stdout + done.stderr };
}

const TESTS = `"cit") echo "3 passed, 0 failed, 1 skipped" ;;`;

test("the counts of all stages are added up in the last line", () => {
  const { code, text } = runCi({
    npm: `${TESTS}\n"run test:suites") echo "2 passed, 0 failed, 0 skipped" ;;`,
    files: ["suites/a.suite.test.ts"],
  });
  assert.equal(code, 0, text);
  assert.ok(text.endsWith("\n5 passed, 0 failed, 1 skipped\n"), text);
});

test("a stage without content is not called, one with content is", () => {
  const { text } = runCi({ npm: TESTS, files: ["suites/a.interop.test.ts", "bench/deep/b.ts"] });
  assert.ok(text.includes("called npm run test:interop"));
  assert.ok(!text.includes("called npm run properties"));
  assert.ok(!text.includes("called npm run bench"));
});

test("a failing stage fails the whole, and the later ones still run", () => {
  const { code, text } = runCi({ npm: `${TESTS}\n"run check") exit 1 ;;` });
  assert.equal(code, 1);
  assert.ok(text.includes("ci: failed: check"));
  assert.ok(text.includes("called npm run build"));
});

test("where other users cannot read the checkout, root runs a clone that they can, and clears it up", () => {
  const node = "node_modules/.bin/node";
  const { code, text } = runCi({
    npm: `"cit") mkdir -p node_modules/.bin; printf '#!/bin/sh\\necho v26.0.0\\n' > ${node}
      chmod 755 ${node}; echo "in $PWD"; echo "3 passed, 0 failed, 0 skipped" ;;`,
    setpriv: "false",
  });
  assert.equal(code, 0, text);
  const isRoot = process.getuid?.() === 0;
  const clone = /^in (\/tmp\/bonafide-ci-.*)\/bonafide$/m.exec(text)?.[1];
  assert.equal(clone !== undefined, isRoot, text);
  if (clone !== undefined) assert.ok(!existsSync(clone));
  assert.ok(text.endsWith("\n3 passed, 0 failed, 0 skipped\n"), text);
});

test("no test at all is a failure", () => {
  assert.equal(runCi({ npm: `"cit") echo "0 passed, 0 failed, 0 skipped" ;;` }).code, 1);
});

test("a stage that leaves files behind is a failure", () => {
  const { code, text } = runCi({ npm: `${TESTS}\n"run build") echo x > left-behind ;;` });
  assert.equal(code, 1);
  assert.ok(text.includes("left-behind"));
});

test("without Go it says so and fails", () => {
  const { code, text } = runCi({ npm: TESTS, without: "go" });
  assert.equal(code, 1);
  assert.ok(text.includes("go is missing"));
});
