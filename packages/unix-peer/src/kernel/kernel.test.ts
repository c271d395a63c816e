import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { test } from "node:test";
import { openKernel } from "./linux-kernel.ts";
import { PIDFD_INFO_BYTES, pidfdInfoRequest, readPidfdFacts } from "./pidfd-info.ts";
import { parsePeerInode, peerInodeRequest } from "./unix-diag.ts";
import { withoutCalls } from "./without-calls.ts";

const kernel = await openKernel();

test("a pidfd of this process is alive and says its ids", () => {
  const pidfd = kernel.pidfdOpen(process.pid);
  assert.ok(typeof pidfd === "number");
  assert.equal(kernel.hasExited(pidfd), false);
  const facts = kernel.pidfdFacts(pidfd);
  if (typeof facts === "object") {
    assert.equal(facts.tgid, process.pid);
    assert.equal(facts.parentPid, process.ppid);
    assert.equal(facts.uid, process.geteuid?.());
    assert.equal(facts.gid, process.getegid?.());
  } else assert.equal(facts, "unsupported");
  closeSync(pidfd);
});

test("a number without a process has no pidfd", () => {
  assert.equal(kernel.pidfdOpen(2 ** 22 - 1), "gone");
});

test("calls on a descriptor that is no socket fail with the call's name", () => {
  const calls = [
    () => kernel.peerCredentials(0x7ffe),
    () => kernel.peerPidfd(0x7ffe),
    () => kernel.peerGroups(0x7ffe),
  ];
  for (const call of calls) assert.throws(call, { code: "KERNEL_CALL_FAILED" });
});

test("a lessened kernel misses what it was told to miss, and nothing else", () => {
  const lesser = withoutCalls(kernel, ["PIDFD_GET_INFO", "SO_PEERPIDFD", "UNIX_DIAG"]);
  const pidfd = lesser.pidfdOpen(process.pid);
  assert.ok(typeof pidfd === "number");
  assert.equal(lesser.pidfdFacts(pidfd), "unsupported");
  assert.equal(lesser.peerPidfd(0), "unsupported");
  assert.equal(lesser.peerSocketInode(0), undefined);
  assert.equal(lesser.hasExited(pidfd), false);
  closeSync(pidfd);
});

test("the ioctl number is that of the structure's first version", () => {
  const facts = Buffer.alloc(PIDFD_INFO_BYTES);
  assert.equal(pidfdInfoRequest(facts), 0xc040_ff0b);
  assert.equal(facts.readBigUInt64LE(0), 7n);
});

test("an answer without ids is an ended process", () => {
  assert.equal(readPidfdFacts(Buffer.alloc(PIDFD_INFO_BYTES)), "gone");
});

test("a netlink answer that is an error, cut, or of another socket names no peer", () => {
  const answer = Buffer.alloc(40);
  answer.writeUInt32LE(40, 0);
  answer.writeUInt16LE(20, 4);
  answer.writeUInt32LE(77, 20);
  answer.writeUInt16LE(8, 32);
  answer.writeUInt16LE(2, 34);
  answer.writeUInt32LE(99, 36);
  assert.equal(parsePeerInode(answer, 77n), 99n);
  assert.equal(parsePeerInode(answer, 78n), undefined);
  for (let size = 0; size < 40; size++) {
    assert.equal(parsePeerInode(answer.subarray(0, size), 77n), undefined);
  }
  const zero = Buffer.from(answer);
  zero.writeUInt16LE(0, 32);
  assert.equal(parsePeerInode(zero, 77n), undefined);
  zero.writeUInt16LE(2, 4);
  assert.equal(parsePeerInode(zero, 77n), undefined);
  assert.equal(peerInodeRequest(77n).readUInt32LE(24), 77);
});
