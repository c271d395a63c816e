import type { AnyObject } from "./objects.ts";
import { comparePositions } from "./state-name.ts";

/**
 * Whether an after-image takes something away: a removal, ban, eviction, taint, revocation or spent token. A denial
 * that the store lost always comes back, because whoever touched the object since did not know of it.
 *
 * @param object  The after-image; undefined for a tombstone.
 * @param before  The object before it, undefined if there was none: a raised `validFrom` is a denial only by comparison.
 */
export function isDenial(object: AnyObject | undefined, before: AnyObject | undefined): boolean {
  if (object === undefined) return true;
  switch (object.kind) {
    case "node": {
      if (object.state !== "live") return true;
      if (object.validFrom === undefined) return false;
      const earlier = before?.kind === "node" ? before.validFrom : undefined;
      return comparePositions(object.validFrom, earlier ?? { epoch: 0, n: 0 }) > 0;
    }
    case "joinToken":
      return object.spent !== undefined;
    case "authority":
      return object.state === "tainted" || object.state === "revoked";
    case "server":
      return object.logKeys.some((key) => key.state === "revoked");
    default: // of the other kinds only a tombstone takes something away
      return false;
  }
}
