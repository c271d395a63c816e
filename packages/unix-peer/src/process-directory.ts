import { closeSync, constants, openSync, readlinkSync, readSync } from "node:fs";
import { PROC_FILE_BYTES_MAX } from "./limits.ts";

/** Reads are synchronous and copy out what they found, so one buffer serves all. */
const scratch = Buffer.alloc(PROC_FILE_BYTES_MAX);

/**
 * `/proc/PID` held by one descriptor, so that every read below it is of the process that was there at opening: once
 * that process is gone, reads fail, and a later process of the same number has another directory.
 */
export class ProcessDirectory implements Disposable {
  readonly #fd: number;
  #open = true;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws the system's error, ENOENT where `hidepid` hides the process or it is gone */
  static open(pid: number): ProcessDirectory {
    return new ProcessDirectory(
      openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY),
    );
  }

  /** A path that leads through the descriptor; valid until dispose. */
  path(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  /** The start of a small file as latin1, at most {@link PROC_FILE_BYTES_MAX} bytes. */
  text(name: string): string {
    const fd = openSync(this.path(name), constants.O_RDONLY);
    try {
      let size = 0;
      for (;;) {
        const read = readSync(fd, scratch, size, scratch.length - size, null);
        size += read;
        if (read === 0 || size === scratch.length) return scratch.toString("latin1", 0, size);
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Where a link points, as raw bytes: paths need not be UTF-8. */
  link(name: string): Buffer {
    return readlinkSync(this.path(name), { encoding: "buffer" });
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }
}
