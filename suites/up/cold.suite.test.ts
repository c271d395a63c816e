import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, homedir, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { startUp } from "./run-up.ts";

/** What a newcomer waits for at most, from an empty cache of npm. */
const COLD_MS = 60_000;
const PATH_BYTES = 200;
const options = { timeout: 600_000 };

/** With more in line than there are processors, time says nothing about this program. */
const isBusy = (loadavg()[0] ?? 0) > 2 * availableParallelism();

let folder = "";
/** A clone of HEAD, in a folder with a long path. */
let clone = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "bonafide-cold-"));
  const room = PATH_BYTES - folder.length - 2;
  clone = join(folder, "a".repeat(room - 100), "b".repeat(100));
  assert.equal(Buffer.byteLength(clone), PATH_BYTES);
  mkdirSync(dirname(clone), { recursive: true });
  mkdirSync(join(folder, "home"));
  const config = ["-c", `safe.directory=${process.cwd()}`, "-c", "advice.detachedHead=false"];
  execFileSync("git", [...config, "clone", "-q", "--no-hardlinks", process.cwd(), clone]);
}, options);
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** How this machine reaches npm's registry; nothing else of npm's settings, and none of what runs this test. */
const REACHES = /^npm_config_(registry|cafile|ca|proxy|https_proxy|noproxy|strict_ssl)$/i;

/** An environment as a newcomer has it: nothing fetched yet, and an empty home. */
function environment(): Readonly<Record<string, string>> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || (/^(npm_|node_|init_cwd$)/i.test(name) && !REACHES.test(name))
      ? []
      : [[name, value] as const],
  );
  const { NODE_EXTRA_CA_CERTS: authorities, HOME = homedir() } = process.env;
  return {
    ...Object.fromEntries(kept),
    ...(authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities }),
    HOME: join(folder, "home"),
    npm_config_cache: join(folder, "cache"),
    npm_config_userconfig: join(HOME, ".npmrc"),
  };
}

test(
  "a fresh clone and an empty cache: `up --once` proves itself in a minute, without a warning",
  options,
  async () => {
    const begun = performance.now();
    const run = startUp({
      command: [join(clone, "bonafide"), "up", "--once"],
      cwd: clone,
      environment: environment(),
    });
    assert.equal(await run.ended, 0, run.lines.join("\n"));
    const tookMs = performance.now() - begun;
    const load = loadavg()[0]?.toFixed(1);
    process.stdout.write(
      `cold: ${(tookMs / 1000).toFixed(1)} s from an empty cache, load ${load}\n`,
    );
    const text = run.lines.join("\n");
    assert.doesNotMatch(text, /warn/i);
    assert.match(text, /^both proven, the third refused: done$/m);
    assert.ok(run.lines.length <= 40, `${run.lines.length} lines`);
    if (!isBusy) assert.ok(tookMs <= COLD_MS, `${tookMs} ms`);
  },
);

test(
  "`npm ci`, the first half of `npm cit`, prints no warning; nor does git see a change",
  options,
  () => {
    const spawned = execFileSync("sh", ["-c", "npm ci 2>&1"], {
      cwd: clone,
      env: environment(),
      encoding: "utf8",
    });
    assert.match(spawned, /added \d+ packages/);
    assert.doesNotMatch(spawned, /warn|deprecat/i);
    const changed = execFileSync("git", ["-C", clone, "status", "--porcelain"], {
      encoding: "utf8",
    });
    assert.equal(changed, "");
  },
);
