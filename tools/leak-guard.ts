import process from "node:process";
import { after } from "node:test";

// Loaded into every test process. Node's runner waits for ever on a process that keeps a handle open;
// this names the handles instead, and fails the file.

const GRACE_MS = 3_000;

after(() => {
  const timer = setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`still alive ${GRACE_MS} ms after the last test, held by: ${held}\n`);
    process.exit(97);
  }, GRACE_MS);
  timer.unref();
});
