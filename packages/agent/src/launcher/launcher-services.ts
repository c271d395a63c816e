import type { Launcher, LauncherAdmin } from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import type { CallContext, Handlers } from "@bonafide/rpc";
import type { UnixPeer } from "@bonafide/unix-peer";
import type { LauncherSlots } from "./launcher-slots.ts";

/** Finds the process behind a call; throws the refusal of a caller that is not known for certain. */
export type CallerOf<Peer> = (context: CallContext<Peer>) => UnixPeer;

/** Handlers of `bonafide.agent.v1.LauncherAdmin`, for the admin socket. */
export function launcherAdminHandlers<Peer>(
  slots: LauncherSlots,
  callerOf: CallerOf<Peer>,
): Handlers<typeof LauncherAdmin, Peer> {
  return {
    async *openSlot({ name, redeemWithinMs }, context) {
      const { signal } = context;
      const within = redeemWithinMs === 0 ? {} : { redeemWithinMs };
      for await (const event of slots.slot(callerOf(context), name, { signal, ...within })) {
        switch (event.kind) {
          case "opened":
            yield {
              event: { case: "opened", value: { slotId: event.slotId, nonce: event.nonce } },
            };
            break;
          case "redeemed":
            yield { event: { case: "redeemed", value: { pid: event.pid, uid: event.uid } } };
            break;
          case "closed":
            yield { event: { case: "closed", value: { reason: event.reason } } };
        }
      }
    },
  };
}

/** Handlers of `bonafide.agent.v1.Launcher`, for the workload socket. */
export function launcherHandlers<Peer>(
  slots: LauncherSlots,
  callerOf: CallerOf<Peer>,
): Handlers<typeof Launcher, Peer> {
  return {
    async redeem({ nonce }, context) {
      const { slotId, name } = await slots.redeem(callerOf(context), nonce);
      return { slotId, name };
    },
  };
}
