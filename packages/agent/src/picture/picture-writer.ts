import type { Clock, Log } from "@bonafide/lifetime";
import type { PictureFile } from "../disk/picture-file.ts";
import { Wake } from "../wake.ts";
import type { Picture } from "./picture.ts";

/** Shortest time between two writes, ms: an entry set of many megabytes is not written for each change. */
const PAUSE_MS = 500;

/** Pause after a failed write, ms. */
const RETRY_MS = 10_000;

/** Keeps the picture on disk: each change soon, many changes at once. */
export class PictureWriter {
  readonly #deps: {
    readonly clock: Clock;
    readonly log: Log;
    readonly picture: Picture;
    readonly file: PictureFile;
  };
  readonly #wake: Wake;

  constructor(deps: {
    readonly clock: Clock;
    readonly log: Log;
    readonly picture: Picture;
    readonly file: PictureFile;
  }) {
    this.#deps = deps;
    this.#wake = new Wake(deps.clock);
    deps.picture.onChange(() => {
      this.#wake.wake();
    });
  }

  /** Writes until the signal aborts, and once more then if something is left. A full disk does not end the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, picture, file } = this.#deps;
    // The first bundle is kept before anything else happens.
    let dirty = true;
    try {
      for (;;) {
        if (!dirty) await this.#wake.wait(undefined, signal);
        dirty = true;
        let pause = PAUSE_MS;
        try {
          await file.write(picture);
          dirty = false;
        } catch (error) {
          log({ level: "error", event: "picture.not_kept", error });
          pause = RETRY_MS;
        }
        await clock.sleep(pause, { signal });
      }
    } finally {
      if (this.#wake.isPending || dirty) {
        await file.write(picture).catch((error: unknown) => {
          log({ level: "error", event: "picture.not_kept", error });
        });
      }
    }
  }
}
