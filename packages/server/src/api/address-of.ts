import type { ServerPeer } from "../port/server-peer.ts";

/** The address of a caller for the log. */
export function addressOf(peer: ServerPeer): string {
  return peer.kind === "local" ? `uid ${peer.uid}` : peer.address;
}
