import { isBonafideError } from "@bonafide/errors";
import { causeOf } from "../cause-details.ts";
import type { CallerFact } from "../core/why/facts.ts";

/** What a failed look at a caller says of it, for `why`. */
export function callerFactOf(error: unknown): CallerFact {
  const details = isBonafideError(error) ? error.details : {};
  const text = isBonafideError(error) ? error.message : "an unexpected failure";
  switch (causeOf(error)) {
    case "caller.outside_pid_namespace":
      return { kind: "outside_pid_namespace" };
    case "caller.id_unmapped":
      return {
        kind: "id_unmapped",
        uid: details["uid"] ?? "",
        gid: details["gid"] ?? "",
        allMapped: details["allMapped"] === "true",
      };
    case "caller.ids_changed":
      return {
        kind: "ids_changed",
        socketIds: details["connected"] ?? "",
        processIds: details["now"] ?? "",
      };
    case "caller.ids_unreadable":
      return { kind: "ids_unreadable" };
    case "caller.not_pinned":
      return { kind: "not_pinned", detail: text };
    case "caller.facts_changed":
      return { kind: "facts_changed", detail: details["changes"] ?? text };
    case "caller.too_many":
      return { kind: "too_many", detail: text };
    default:
      return { kind: "gone" };
  }
}
