import type { WorkloadAttestor } from "@bonafide/plugin-api";
import type { LauncherSlots } from "./launcher-slots.ts";

/**
 * `launcher:name:N` and `launcher:uid:U` of a process that was started through a slot: always both, or none.
 *
 * A label, since a process of the same uid can make such a process do anything; it holds against the workload's own uid
 * only where another uid started it, hence then `user`. Says who started a process, not what it has become.
 */
export function launcherAttestor(slots: Pick<LauncherSlots, "find">): WorkloadAttestor {
  return {
    name: "launcher",
    attest({ pid, uid, pidfdInode, facts }) {
      const { sessionId, startTicks } = facts;
      const launched = slots.find({
        pid,
        pidfdInode,
        sessionId: sessionId.kind === "read" ? sessionId.value : undefined,
        startTicks: startTicks.kind === "read" ? startTicks.value : undefined,
      });
      if (launched === undefined) return Promise.resolve({ selectors: [], omitted: [] });
      const grade = launched.launcherUid === uid ? "label" : "user";
      const source = "the launcher's slot";
      return Promise.resolve({
        selectors: [
          { type: "launcher", value: `name:${launched.name}`, grade, source },
          { type: "launcher", value: `uid:${launched.launcherUid}`, grade, source },
        ],
        omitted: [],
      });
    },
  };
}
