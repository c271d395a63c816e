/**
 * Source of the hashing thread. A text, not a file, so that a bundle of one file holds it too. Reads a descriptor of
 * this process from its start, never more than the size it was told, and answers with the digest or null.
 */
export const SHA256_WORKER = `
"use strict";
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { readSync } = require("node:fs");
const chunk = Buffer.alloc(1 << 18);
parentPort.on("message", ({ ticket, fd, size }) => {
  let hex = null;
  try {
    const hash = createHash("sha256");
    let at = 0;
    while (at < size) {
      const read = readSync(fd, chunk, 0, Math.min(chunk.length, size - at), at);
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
      at += read;
    }
    if (at === size) hex = hash.digest("hex");
  } catch {}
  parentPort.postMessage({ ticket, hex });
});
`;
