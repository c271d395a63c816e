import type { WorkloadAttestor } from "@bonafide/plugin-api";
import { SELECTOR_GRADES } from "../attestation/core/grades.ts";
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
      const from = launched.launcherUid === uid ? "" : " from another uid";
      const source = "the launcher's slot";
      return Promise.resolve({
        selectors: [
          {
            type: "launcher",
            value: `name:${launched.name}`,
            grade: SELECTOR_GRADES[`launcher:name${from}`],
            source,
          },
          {
            type: "launcher",
            value: `uid:${launched.launcherUid}`,
            grade: SELECTOR_GRADES[`launcher:uid${from}`],
            source,
          },
        ],
        omitted: [],
      });
    },
  };
}
