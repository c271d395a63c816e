import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";

const folder = mkdtempSync(join(tmpdir(), "bonafide-child-"));
const logFile = join(folder, "server.log");
after(() => {
  rmSync(folder, { recursive: true });
});

function start(script: string): Child {
  return startChild({ name: "server", cli: ["-e"], words: [script], logFile, secret: "a token" });
}

test("a process that ends before it serves is a failure that says how, why, and where to read more", async () => {
  const child = start(`
    console.error("bonafide: first");
    console.error("bonafide: the port is taken");
    console.error("    at somewhere");
    process.exitCode = 3;
  `);
  await assert.rejects(child.ready, {
    code: "PROCESS_ENDED",
    message: "the server ended with exit code 3 before it served: the port is taken",
    details: { next: `read the end of ${logFile}` },
  });
  // Nobody waits for the log to be on the disk, so this does; without the line it never ends.
  const text = (): string => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  while (!text().includes("at somewhere")) await nextTurn();
});

test("so is one that is stopped before it serves", async () => {
  const child = start("setInterval(() => {}, 1000)");
  await child.stop();
  await assert.rejects(child.ready, { code: "PROCESS_ENDED", message: /by SIGTERM/ });
});

test("one that serves says so on descriptor 3, and gets its secret on descriptor 4", async () => {
  const child = start(`
    const fs = require("node:fs");
    const secret = fs.readFileSync(4, "utf8");
    fs.writeSync(3, JSON.stringify({ secret, port: 1 }) + "\\n");
    setInterval(() => {}, 1000);
  `);
  assert.deepEqual(await child.ready, { secret: "a token", port: "1" });
  await child.stop();
});
