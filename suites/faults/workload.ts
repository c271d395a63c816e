import process from "node:process";
import { createTlsConnector, exactId, openX509Source } from "@bonafide/spiffe";

// A workload as anybody would write it: it keeps a source and shows itself to the judge, over mutual TLS, each second.
// Arguments: its number, the judge's port, the judge's ID. It ends with its standard input.

const EACH_MS = 1000;
const [number = "", port = "", judgeId = ""] = process.argv.slice(2);

process.stdin.on("end", () => process.exit()).resume();
const source = await openX509Source();
const connector = createTlsConnector({ source, authorize: exactId(judgeId) });
for (;;) {
  // By the clock that the server lives by too: this is one machine.
  const at = Date.now();
  try {
    const { socket } = await connector.connect({ host: "127.0.0.1", port: Number(port) });
    await new Promise((resolve) => {
      socket.once("close", resolve).resume();
      socket.end(`${number} ${at}\n`);
    });
  } catch {
    // The judge misses it, and that is what counts.
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(100, at + EACH_MS - Date.now())));
}
