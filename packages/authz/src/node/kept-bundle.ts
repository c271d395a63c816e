import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { refuse } from "../core/bundle/refuse.ts";
import type { BundleRef } from "../core/record/decision-record.ts";
import { BUNDLE_BYTES_MAX } from "../limits.ts";
import { readBounded } from "./read-bounded.ts";

/** As many digits as `Number.MAX_SAFE_INTEGER` has. */
const FLOOR = /^(\d{1,16}) ([0-9a-f]{64})\n$/;

/** What is kept of bundles across restarts: the last good one, and the floor below which none is taken. */
export class KeptBundle {
  readonly #folder: string;

  /** @param folder  Of this process alone; made if it is missing. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The newest bundle ever adopted here.
   *
   * @returns `undefined` if there never was one
   * @throws BUNDLE_UNREADABLE  there is a floor and it cannot be read; going on would allow a rollback
   */
  async floor(): Promise<BundleRef | undefined> {
    const path = join(this.#folder, "floor");
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw refuse("BUNDLE_UNREADABLE", `${path} cannot be read`, { path }, cause);
    }
    const [, serial, digest] = FLOOR.exec(text) ?? [];
    if (digest !== undefined && Number.isSafeInteger(Number(serial))) {
      return { serial: Number(serial), digest };
    }
    throw refuse("BUNDLE_UNREADABLE", `${path} is no floor of bundles`, { path });
  }

  /** The last good bundle, to be verified anew. @returns `undefined` if there is none */
  async lastGood(): Promise<Uint8Array | undefined> {
    try {
      return (await readBounded(this.#bundlePath, BUNDLE_BYTES_MAX))?.bytes;
    } catch {
      // Not there yet, or not to be read: the file that is followed decides.
      return undefined;
    }
  }

  /** Keeps a bundle. The floor comes first: after a crash between the two, the older bundle is refused. */
  async keep(ref: BundleRef, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#replace(join(this.#folder, "floor"), `${ref.serial} ${ref.digest}\n`);
    await this.#replace(this.#bundlePath, bytes);
  }

  get #bundlePath(): string {
    return join(this.#folder, "last-good.bundle");
  }

  async #replace(path: string, content: string | Uint8Array): Promise<void> {
    const fresh = `${path}.${randomUUID()}`;
    try {
      await using file = await open(fresh, "wx", 0o600);
      await file.writeFile(content);
      await file.sync();
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
