/** What the hashing thread is asked: the next piece of one file. */
export interface HashPiece {
  /** Names the file among those that are being hashed. */
  readonly ticket: number;
  /** Descriptor of this process. */
  readonly fd: number;
  readonly from: number;
  readonly to: number;
  /** Whether the file ends there. */
  readonly last: boolean;
}

/** Its answer. */
export interface HashedPiece {
  readonly ticket: number;
  /** `more` wants the next piece. */
  readonly outcome: "more" | "done" | "failed";
  /** With `done`. */
  readonly hex: string;
}

/**
 * Source of the hashing thread. A text, not a file, so that a bundle of one file holds it too. Answers each
 * {@link HashPiece} with a {@link HashedPiece}; a file that ends too early has failed, and is forgotten.
 */
export const SHA256_WORKER = `
"use strict";
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { readSync } = require("node:fs");
const chunk = Buffer.alloc(1 << 18);
const hashes = new Map();
parentPort.on("message", ({ ticket, fd, from, to, last }) => {
  let outcome = "failed";
  let hex = "";
  try {
    const hash = hashes.get(ticket) ?? createHash("sha256");
    let at = from;
    while (at < to) {
      const read = readSync(fd, chunk, 0, Math.min(chunk.length, to - at), at);
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
      at += read;
    }
    if (at === to) {
      outcome = last ? "done" : "more";
      if (last) hex = hash.digest("hex");
      hashes.set(ticket, hash);
    }
  } catch {}
  if (outcome !== "more") hashes.delete(ticket);
  parentPort.postMessage({ ticket, outcome, hex });
});
`;
