const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const AF_UNIX = 1;
const UDIAG_SHOW_PEER = 4;
const UNIX_DIAG_PEER = 2;
const HEADER_BYTES = 16;
const MESSAGE_BYTES = 16;

/** A netlink request for one socket's peer, by the socket's inode (the kernel compares its low 32 bits). */
export function peerInodeRequest(inode: bigint): Buffer {
  const request = Buffer.alloc(40);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(NLM_F_REQUEST, 6);
  request.writeUInt32LE(1, 8);
  request.writeUInt8(AF_UNIX, 16);
  request.writeUInt32LE(0xffff_ffff, 20);
  request.writeUInt32LE(Number(BigInt.asUintN(32, inode)), 24);
  request.writeUInt32LE(UDIAG_SHOW_PEER, 28);
  request.fill(0xff, 32, 40);
  return request;
}

/** The peer's inode from the answer; undefined for an error message, another socket or anything malformed. */
export function parsePeerInode(answer: Buffer, inode: bigint): bigint | undefined {
  if (answer.length < HEADER_BYTES + MESSAGE_BYTES) return undefined;
  const end = Math.min(answer.readUInt32LE(0), answer.length);
  if (answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY) return undefined;
  if (answer.readUInt32LE(HEADER_BYTES + 4) !== Number(BigInt.asUintN(32, inode))) return undefined;
  for (let at = HEADER_BYTES + MESSAGE_BYTES; at + 4 <= end;) {
    const size = answer.readUInt16LE(at);
    if (size < 4 || at + size > end) return undefined;
    if (answer.readUInt16LE(at + 2) === UNIX_DIAG_PEER && size >= 8) {
      return BigInt(answer.readUInt32LE(at + 4));
    }
    at += Math.ceil(size / 4) * 4;
  }
  return undefined;
}
