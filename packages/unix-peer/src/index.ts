export { UNIX_PEER_ERRORS } from "./errors.ts";
export { HeldProcess } from "./held-process.ts";
export type { Kernel, OptionalCall, PeerCredentials, PidfdFacts } from "./kernel/kernel.ts";
export { openKernel } from "./kernel/linux-kernel.ts";
export {
  type DroppedConnection,
  listenUnix,
  type ListenUnixOptions,
  type UnixConnection,
  type UnixListener,
} from "./listen-unix.ts";
export { overflowIds, type OverflowIds } from "./overflow-ids.ts";
export type { PeerPin } from "./peer-pin.ts";
export type { PeerCause } from "./peer-refusals.ts";
export { ProcessDirectory } from "./process-directory.ts";
export { parseEffectiveIds, parseProcessStat, type ProcessStat } from "./process-stat.ts";
export { checkSocketPath } from "./socket-path.ts";
export { UnixPeer, type UnixPeerOptions } from "./unix-peer.ts";
