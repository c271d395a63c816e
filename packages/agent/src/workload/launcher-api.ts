import {
  Launcher,
  LauncherAdmin,
  type OpenSlotResponseSchema,
} from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { addService, type RpcServer } from "@bonafide/rpc";
import type { UnixConnection } from "@bonafide/unix-peer";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LauncherSlots, SlotEvent } from "../launcher/launcher-slots.ts";

/** Adds the started process's side of the launcher, for the workload socket. */
export function addLauncherApi(server: RpcServer<UnixConnection>, slots: LauncherSlots): void {
  addService(server, Launcher, {
    redeem: ({ nonce }, { peer }) => slots.redeem(peer.caller(), nonce),
  });
}

/** Adds the launcher's own side, for the admin socket. */
export function addLauncherAdmin(server: RpcServer<UnixConnection>, slots: LauncherSlots): void {
  addService(server, LauncherAdmin, {
    async *openSlot({ name, redeemWithinMs }, { peer, signal }) {
      const request = { name, ...(redeemWithinMs === 0 ? {} : { redeemWithinMs }) };
      for await (const event of slots.open(peer.caller(), request, { signal })) {
        yield { event: eventOf(event) };
      }
    },
  });
}

function eventOf(
  event: SlotEvent,
): NonNullable<MessageInitShape<typeof OpenSlotResponseSchema>["event"]> {
  switch (event.kind) {
    case "opened":
      return { case: "opened", value: { slotId: event.slotId, nonce: event.nonce } };
    case "redeemed":
      return { case: "redeemed", value: { pid: event.pid, uid: event.uid } };
    case "closed":
      return { case: "closed", value: { reason: event.reason } };
    default:
      return event satisfies never;
  }
}
