import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A folder of its own for one socket, removed by dispose; its path is short. */
export class SocketFolder implements Disposable {
  readonly folder: string = mkdtempSync("/tmp/bf-");
  /** Path of a socket in it. */
  readonly path: string = join(this.folder, "s");

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
