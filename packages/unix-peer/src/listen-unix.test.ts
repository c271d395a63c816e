import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { openKernel } from "./kernel/linux-kernel.ts";
import { withoutCalls } from "./kernel/without-calls.ts";
import {
  type DroppedConnection,
  listenUnix,
  type ListenUnixOptions,
  type UnixConnection,
  type UnixListener,
} from "./listen-unix.ts";
import { connectChild } from "./testing/connect-child.ts";
import { SocketFolder } from "./testing/socket-folder.ts";
import { UnixPeer } from "./unix-peer.ts";

const kernel = await openKernel();
const STRANGER = 54_321;

/** A listener that keeps its connections until they are asked for. */
class Listening implements AsyncDisposable {
  readonly #folder = new SocketFolder();
  readonly #arrived: UnixConnection[] = [];
  readonly dropped: DroppedConnection[] = [];
  readonly path: string = this.#folder.path;
  #wake = (): void => {};
  #listener: UnixListener | undefined;
  readonly #children: ChildProcess[] = [];

  static async open(options: Partial<ListenUnixOptions> = {}): Promise<Listening> {
    const made = new Listening();
    made.#listener = await listenUnix({
      kernel,
      path: made.path,
      mode: 0o777,
      folderMode: 0o755,
      onConnection: (connection) => {
        made.#arrived.push(connection);
        made.#wake();
      },
      onDropped: (dropped) => {
        made.dropped.push(dropped);
        made.#wake();
      },
      ...options,
    });
    return made;
  }

  get listener(): UnixListener {
    assert.ok(this.#listener);
    return this.#listener;
  }

  async next(): Promise<UnixConnection> {
    for (;;) {
      const connection = this.#arrived.shift();
      if (connection !== undefined) return connection;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async nextDrop(): Promise<DroppedConnection | undefined> {
    while (this.dropped.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.dropped.shift();
  }

  child(): ChildProcess {
    const child = connectChild(this.path);
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await this.#listener?.close();
    this.#folder[Symbol.dispose]();
  }
}

function ownConnection(path: string): Socket {
  const socket = connect(path);
  socket.on("error", () => {});
  return socket;
}

function pidfdsOpen(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("pidfd");
    } catch {
      return false;
    }
  }).length;
}

for (const missing of [[], ["SO_PEERPIDFD"], ["PIDFD_GET_INFO"]] as const) {
  const lesser = withoutCalls(kernel, missing);
  const name = missing.length === 0 ? "all calls" : `no ${missing.join()}`;

  test(`${name}: the caller is the process that connected, with its ids`, async () => {
    await using listening = await Listening.open({ kernel: lesser });
    const child = listening.child();
    const { id, caller } = await listening.next();
    const peer = caller();
    assert.equal(peer.pid, child.pid);
    assert.equal(peer.uid, process.geteuid?.());
    assert.equal(peer.gid, process.getegid?.());
    assert.equal(peer.pin, missing.some((call) => call === "SO_PEERPIDFD") ? "proven" : "pidfd");
    assert.equal(listening.listener.caller(id), peer);
    {
      using directory = peer.openDirectory();
      assert.equal(directory.link("exe").toString(), process.execPath);
      peer.assertSameIds(directory);
    }
    const facts = peer.facts();
    assert.equal(facts?.parentPid, facts === undefined ? undefined : process.pid);
    assert.equal(peer.alive(), true);
  });

  test(`${name}: a caller that ended is gone, before and after it was reaped`, async () => {
    await using listening = await Listening.open({ kernel: lesser });
    const child = listening.child();
    const { caller, id } = await listening.next();
    const peer = caller();
    const directory = peer.openDirectory();
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(peer.alive(), false);
    assert.throws(() => peer.openDirectory(), { code: "PEER_GONE" });
    assert.throws(() => directory.text("stat"));
    directory[Symbol.dispose]();
    peer.close();
    peer.close();
    assert.throws(() => peer.facts(), { code: "PEER_GONE" });
    assert.throws(() => listening.listener.caller(`${id}x`), { code: "CONNECTION_CLOSED" });
  });
}

test("a caller that died before it was accepted is refused as gone", async () => {
  await using listening = await Listening.open();
  const script = `const s=require("net").connect(process.argv[1],()=>process.kill(process.pid,"SIGKILL"))`;
  // Synchronous: the listener cannot accept before the child is dead and reaped.
  const { signal } = spawnSync(process.execPath, ["-e", script, listening.path]);
  assert.equal(signal, "SIGKILL");
  const { caller } = await listening.next();
  assert.throws(caller, { code: "PEER_GONE" });
});

test("without any pin a caller is refused when one is required, and marked when not", async () => {
  const lesser = withoutCalls(kernel, ["SO_PEERPIDFD", "UNIX_DIAG"]);
  for (const requirePinnedPeer of [true, false]) {
    await using listening = await Listening.open({ kernel: lesser, requirePinnedPeer });
    const socket = ownConnection(listening.path);
    const { caller } = await listening.next();
    if (requirePinnedPeer) assert.throws(caller, { code: "PEER_NOT_PINNED" });
    else assert.equal(caller().pin, "unpinned");
    socket.destroy();
  }
});

test("a caller without a number here, or with ids that stand for any, is refused", async () => {
  const outside = { ...kernel, peerCredentials: () => ({ pid: 0, uid: 1, gid: 1 }) };
  const remote = { ...kernel, pidfdFacts: () => "outside" as const };
  const nobody = (uid: number, gid: number) => ({
    ...kernel,
    peerCredentials: (fd: number) => ({ ...kernel.peerCredentials(fd), uid, gid }),
  });
  const cases = [
    [outside, "PEER_OUTSIDE_PID_NAMESPACE"],
    [remote, "PEER_OUTSIDE_PID_NAMESPACE"],
    [nobody(65_534, 1), "PEER_ID_UNMAPPED"],
    [nobody(1, 65_534), "PEER_ID_UNMAPPED"],
  ] as const;
  for (const [lesser, code] of cases) {
    await using listening = await Listening.open({ kernel: lesser });
    const socket = ownConnection(listening.path);
    const { caller } = await listening.next();
    assert.throws(caller, { code });
    socket.destroy();
  }
});

test("ids that changed since connect are refused by pidfd and by procfs", async () => {
  for (const missing of [[], ["PIDFD_GET_INFO"]] as const) {
    const lesser = withoutCalls(kernel, missing);
    const other = {
      ...lesser,
      peerCredentials: (fd: number) => ({ ...lesser.peerCredentials(fd), uid: 4321 }),
    };
    await using listening = await Listening.open({ kernel: other });
    const socket = ownConnection(listening.path);
    const { caller } = await listening.next();
    using directory = caller().openDirectory();
    assert.throws(
      () => {
        caller().assertSameIds(directory);
      },
      { code: "PEER_IDS_CHANGED" },
    );
    socket.destroy();
  }
});

test("an operator's question finds a process by its number, a caller's hold outlives its peer", async () => {
  await using listening = await Listening.open();
  const child = listening.child();
  const { caller } = await listening.next();
  const connected = caller();
  using asked = UnixPeer.ofProcess(kernel, connected.pid);
  assert.equal(asked.pidfdInode, connected.pidfdInode);
  assert.deepEqual([asked.uid, asked.gid], [connected.uid, connected.gid]);
  assert.deepEqual(asked.groups, connected.groups);
  using held = connected.hold();
  connected.close();
  assert.equal(held.alive(), true);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(held.alive(), false);
  assert.throws(() => held.hold(), { code: "PEER_GONE" });
  assert.throws(() => UnixPeer.ofProcess(kernel, held.pid), { code: "PEER_GONE" });
});

test("500 connections leave no descriptor and no entry behind", async () => {
  await using listening = await Listening.open();
  for (let round = 0; round < 500; round++) {
    const socket = ownConnection(listening.path);
    const connection = await listening.next();
    const closed = once(connection.socket, "close");
    connection.socket.resume();
    connection.socket.on("end", () => connection.socket.end());
    socket.destroy();
    await closed;
  }
  assert.equal(listening.listener.connectionCount(), 0);
  assert.equal(pidfdsOpen(), 0);
});

test("connections are bounded in all, and for each uid but root", async () => {
  await using listening = await Listening.open({ connectionsMax: 1 });
  const first = ownConnection(listening.path);
  await listening.next();
  const second = ownConnection(listening.path);
  assert.deepEqual(await listening.nextDrop(), { kind: "connections-exceeded" });
  first.destroy();
  second.destroy();

  const other = {
    ...kernel,
    peerCredentials: (fd: number) => ({ ...kernel.peerCredentials(fd), uid: 4321 }),
  };
  await using perUid = await Listening.open({ kernel: other, connectionsPerUidMax: 1 });
  const third = ownConnection(perUid.path);
  const { socket } = await perUid.next();
  const fourth = ownConnection(perUid.path);
  assert.deepEqual(await perUid.nextDrop(), { kind: "connections-of-uid-exceeded", uid: 4321 });
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
  const fifth = ownConnection(perUid.path);
  await perUid.next();
  for (const each of [third, fourth, fifth]) each.destroy();
});

test("subordinate uids have the connections of their owner", async () => {
  let uid = 0;
  await using listening = await Listening.open({
    kernel: { ...kernel, peerCredentials: (fd) => ({ ...kernel.peerCredentials(fd), uid }) },
    connectionsPerUidMax: 2,
    ownerOf: (of) => (of >= 100_000 ? 1000 : of),
  });
  const open: Socket[] = [];
  for (uid of [100_001, 100_002]) {
    open.push(ownConnection(listening.path));
    await listening.next();
  }
  uid = 100_003;
  open.push(ownConnection(listening.path));
  assert.deepEqual(await listening.nextDrop(), { kind: "connections-of-uid-exceeded", uid });
  uid = 1001;
  open.push(ownConnection(listening.path));
  await listening.next();
  for (const socket of open) socket.destroy();
});

test("users who open all the connections they can leave one for a user who comes new", async () => {
  let uid = 1;
  await using listening = await Listening.open({
    kernel: { ...kernel, peerCredentials: (fd) => ({ ...kernel.peerCredentials(fd), uid }) },
    connectionsMax: 8,
  });
  const open: Socket[] = [];
  // More than what is left for others is not given: of 8 one user gets 5, the next 2.
  for (const [of, share] of [
    [1, 5],
    [2, 2],
  ] as const) {
    uid = of;
    for (let i = 0; i < share; i++) {
      open.push(ownConnection(listening.path));
      await listening.next();
    }
    open.push(ownConnection(listening.path));
    assert.deepEqual(await listening.nextDrop(), { kind: "connections-of-uid-exceeded", uid });
  }
  uid = 3;
  open.push(ownConnection(listening.path));
  await listening.next();
  for (const socket of open) socket.destroy();
});

test("a kernel that refuses to name a caller loses that connection only", async () => {
  let refusals = 1;
  const moody = {
    ...kernel,
    peerCredentials: (fd: number) => {
      if (refusals-- > 0) throw new Error("refused");
      return kernel.peerCredentials(fd);
    },
  };
  await using listening = await Listening.open({ kernel: moody });
  const first = ownConnection(listening.path);
  assert.deepEqual(await listening.nextDrop(), { kind: "descriptor-lost" });
  const second = ownConnection(listening.path);
  const { caller } = await listening.next();
  assert.equal(caller().pid, process.pid);
  first.destroy();
  second.destroy();
});

const listen = (path: string, folderMode = 0o755): Promise<UnixListener> =>
  listenUnix({ kernel, path, mode: 0o600, folderMode, onConnection: () => {} });

test("a path over 107 bytes is refused with both numbers, one of 107 works", async () => {
  using folder = new SocketFolder();
  const fits = join(folder.folder, "x".repeat(107 - folder.folder.length - 1));
  await (await listen(fits)).close();
  await assert.rejects(listen(`${fits}x`), {
    code: "SOCKET_PATH_TOO_LONG",
    details: { path: `${fits}x`, bytes: "108", bytesMax: "107" },
  });
  await assert.rejects(listen("relative"), { code: "SOCKET_PATH_INVALID" });
  await assert.rejects(listen("/tmp/a\0b"), { code: "SOCKET_PATH_INVALID" });
});

test("folder and socket get their modes, and the path is gone after close", async () => {
  using folder = new SocketFolder();
  const path = join(folder.folder, "made/s");
  const listener = await listen(path, 0o700);
  assert.equal(statSync(join(folder.folder, "made")).mode & 0o777, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await listener.close();
  await listener.close();
  assert.equal(existsSync(path), false);
});

test("a folder that is a link, too wide, or in one where others rename is refused", async () => {
  using folder = new SocketFolder();
  const at = (name: string): string => join(folder.folder, name);
  mkdirSync(at("real"), { mode: 0o755 });
  symlinkSync(at("real"), at("link"));
  await assert.rejects(listen(at("link/s")), { code: "SOCKET_FOLDER_UNSAFE" });
  await assert.rejects(listen(at("real/s"), 0o700), { code: "SOCKET_FOLDER_UNSAFE" });
  mkdirSync(at("open/inner"), { recursive: true, mode: 0o755 });
  chmodSync(at("open"), 0o777);
  await assert.rejects(listen(at("open/inner/s")), { code: "SOCKET_FOLDER_UNSAFE" });
  await assert.rejects(listen("/s-bonafide-test", 0o700), { code: "SOCKET_FOLDER_UNSAFE" });
});

test("a folder above that others may write is refused at any height, and nothing is made", async () => {
  using folder = new SocketFolder();
  const at = (name: string): string => join(folder.folder, name);
  mkdirSync(at("open/a/b"), { recursive: true, mode: 0o755 });
  chmodSync(at("open"), 0o775);
  await assert.rejects(listen(at("open/a/b/made/s")), {
    code: "SOCKET_FOLDER_UNSAFE",
    details: { folder: at("open"), owner: String(process.geteuid?.()), mode: "775" },
  });
  assert.equal(existsSync(at("open/a/b/made")), false);
  // Others may write there and not replace what is not theirs.
  chmodSync(at("open"), 0o1777);
  await (await listen(at("open/a/b/made/s"))).close();
});

test(
  "a folder or link above that is somebody else's is refused, with its owner",
  { skip: process.geteuid?.() === 0 ? false : "needs root, to give files away" },
  async () => {
    using folder = new SocketFolder();
    const at = (name: string): string => join(folder.folder, name);
    mkdirSync(at("theirs/ours"), { recursive: true, mode: 0o755 });
    mkdirSync(at("real/ours"), { recursive: true, mode: 0o755 });
    symlinkSync("real", at("link"));
    await (await listen(at("link/ours/s"))).close();
    lchownSync(at("link"), STRANGER, STRANGER);
    chownSync(at("theirs"), STRANGER, STRANGER);
    symlinkSync(at("theirs"), at("to-theirs"));
    for (const [way, fault] of [
      ["theirs/ours/s", "theirs"],
      ["link/ours/s", "link"],
      ["to-theirs/ours/s", "theirs"],
      ["real/../theirs/ours/deeper/s", "theirs"],
    ] as const) {
      await assert.rejects(listen(`${folder.folder}/${way}`), {
        code: "SOCKET_FOLDER_UNSAFE",
        details: {
          folder: at(fault),
          owner: String(STRANGER),
          mode: fault === "link" ? "777" : "755",
        },
      });
    }
  },
);

test("links that lead to each other end", async () => {
  using folder = new SocketFolder();
  symlinkSync("b", join(folder.folder, "a"));
  symlinkSync("a", join(folder.folder, "b"));
  await assert.rejects(listen(join(folder.folder, "a/inner/s")), { code: "SOCKET_FOLDER_UNSAFE" });
});

test("a dead process's socket is replaced, a live one and a file are not", async () => {
  using folder = new SocketFolder();
  const script = `require("net").createServer().listen(process.argv[1],()=>process.kill(process.pid,"SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, folder.path]);
  assert.equal(existsSync(folder.path), true);
  await using listener = await listen(folder.path);
  await assert.rejects(listen(folder.path), { code: "SOCKET_IN_USE" });
  assert.equal(listener.connectionCount() <= 1, true);
  writeFileSync(join(folder.folder, "f"), "");
  await assert.rejects(listen(join(folder.folder, "f")), { code: "SOCKET_PATH_OCCUPIED" });
});
