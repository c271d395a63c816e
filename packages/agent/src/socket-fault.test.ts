import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { socketFault, type SocketFact } from "./socket-fault.ts";

const OWNER = process.geteuid?.() ?? 0;
const STRANGER = { uid: 54_321, gid: 54_321, groups: [] };

/** A socket at `in/s` of a folder of its own. */
class Place implements AsyncDisposable {
  readonly folder: string = mkdtempSync("/tmp/bf-");
  readonly path: string = join(this.folder, "in/s");
  readonly #server: Server = createServer();

  static async open(): Promise<Place> {
    const made = new Place();
    chmodSync(made.folder, 0o755);
    mkdirSync(join(made.folder, "in"), { mode: 0o755 });
    made.#server.listen(made.path);
    await once(made.#server, "listening");
    chmodSync(made.path, 0o777);
    return made;
  }

  fault(user = STRANGER, path = this.path): SocketFact | undefined {
    return socketFault({ path, from: "a test" }, user);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
    rmSync(this.folder, { recursive: true });
  }
}

test("a socket that everybody may reach has no fault, and a path without one is missing", async () => {
  await using place = await Place.open();
  assert.equal(place.fault(), undefined);
  writeFileSync(join(place.folder, "file"), "");
  for (const name of ["in/none", "none/s", "file", "file/s"]) {
    const path = join(place.folder, name);
    assert.deepEqual(place.fault(STRANGER, path), { kind: "missing", path, from: "a test" });
  }
});

test("the first folder that refuses is named, with its owner and mode", async () => {
  await using place = await Place.open();
  const { path, folder } = place;
  const refused = (component: string, mode: number): SocketFact => {
    return { kind: "not_permitted", path, component, ownerUid: OWNER, mode };
  };
  chmodSync(path, 0o770);
  assert.deepEqual(place.fault(), refused(path, 0o770));
  chmodSync(join(folder, "in"), 0o750);
  assert.deepEqual(place.fault(), refused(join(folder, "in"), 0o750));
  chmodSync(folder, 0o700);
  assert.deepEqual(place.fault(), refused(folder, 0o700));
});

test("owner, group and root go by their own rights", async () => {
  await using place = await Place.open();
  const gid = process.getegid?.() ?? 0;
  chmodSync(place.path, 0o770);
  chmodSync(join(place.folder, "in"), 0o750);
  assert.equal(place.fault({ uid: 0, gid: 0, groups: [] }), undefined);
  assert.equal(place.fault({ ...STRANGER, uid: OWNER }), undefined);
  assert.equal(place.fault({ ...STRANGER, gid }), undefined);
  const member = { ...STRANGER, groups: [gid] };
  assert.equal(socketFault({ path: place.path, from: "" }, member), undefined);
});
