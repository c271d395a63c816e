import type { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";

/** A file that takes its name only when it is whole. */
export interface FreshFile extends Disposable {
  /** Adds to it. @throws OUTPUT_UNWRITABLE */
  write(content: string | Buffer): void;
  /** Puts it in its name's place, durably. @throws OUTPUT_UNWRITABLE */
  finish(): void;
}

/**
 * Starts a file beside the name that it shall have: no link is followed, and no older file lends it wider rights.
 * Disposed before it is finished, it is gone and the older file stays.
 *
 * @throws OUTPUT_UNWRITABLE
 */
export function openFreshFile(path: string, mode: number): FreshFile {
  const fresh = `${path}.${randomUUID()}`;
  const fd = writable(path, () => openSync(fresh, "wx", mode));
  let isOpen = true;
  return {
    write: (content) => {
      writable(path, () => {
        writeFileSync(fd, content);
      });
    },
    finish: () => {
      writable(path, () => {
        fsyncSync(fd);
        closeSync(fd);
        isOpen = false;
        renameSync(fresh, path);
      });
    },
    [Symbol.dispose]() {
      if (isOpen) closeSync(fd);
      rmSync(fresh, { force: true });
    },
  };
}

function writable<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "OUTPUT_UNWRITABLE", `cannot write ${path}: ${why}`, {
      cause,
    });
  }
}
