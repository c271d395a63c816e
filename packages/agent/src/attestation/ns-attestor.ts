import type {
  NamespaceKind,
  ObservedSelector,
  OmittedFact,
  WorkloadAttestor,
} from "@bonafide/plugin-api";
import { SELECTOR_GRADES } from "./core/grades.ts";
import { namespaceOf, type OwnNamespaces, readOwnNamespaces } from "./namespaces.ts";

const KINDS: readonly NamespaceKind[] = ["user", "pid", "mnt"];

/**
 * Whether a caller runs in the agent's namespaces: `ns:user:host`, `ns:pid:host`, `ns:mnt:host`, else `...:other`.
 *
 * Nobody unprivileged enters the host's namespaces, so `host` is a boundary; anybody may leave them, so `other` is a
 * label. An agent in a container calls its container the host.
 */
export function nsAttestor(own: OwnNamespaces = readOwnNamespaces()): WorkloadAttestor {
  return {
    name: "ns",
    attest(caller) {
      const selectors: ObservedSelector[] = [];
      const omitted: OmittedFact[] = [];
      for (const kind of KINDS) {
        const where = namespaceOf(caller.facts, own, kind);
        if (where === "unreadable") {
          omitted.push({
            fact: `ns:${kind}`,
            reason: "attestor.not_readable",
            text: `the agent may not read /proc/${caller.pid}/ns/${kind}`,
          });
          continue;
        }
        selectors.push({
          type: "ns",
          value: `${kind}:${where}`,
          grade: SELECTOR_GRADES[`ns:${kind}:${where}`],
          source: `/proc/PID/ns/${kind}`,
        });
      }
      return Promise.resolve({ selectors, omitted });
    },
  };
}
