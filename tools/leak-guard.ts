import process from "node:process";
import { after } from "node:test";

// Loaded into every test process. Node's runner waits for ever on a process that keeps a handle open;
// this names the handles instead, and fails the file.

const TICK_MS = 100;
const TICKS = 100;

after(() => {
  // Counted in ticks: a hook that clears up for long, synchronously, is no leak.
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks < TICKS) return;
    const held = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(
      `still alive ${TICKS * TICK_MS} ms after the last test, held by: ${held}\n`,
    );
    process.exit(97);
  }, TICK_MS);
  timer.unref();
});
