import { flushCompileCache } from "node:module";
import { isBonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import { openSource, type X509Source } from "@bonafide/spiffe";
import { tell } from "./events.ts";

/** Opens this workload's source, and tells of refusals while it waits and of each SVID once it has one. */
export async function openIdentity(clock: Clock): Promise<X509Source> {
  // A workload of the demo ends by a signal, after which nothing would be kept.
  flushCompileCache();
  const source = await openSource({
    clock,
    onProblem: (error) => {
      tell({ event: "refused", code: error.code, decision: decisionOf(error) });
    },
  });
  void tellIdentities(source);
  return source;
}

/** Never rejects: updates end quietly with the source. */
async function tellIdentities(source: X509Source): Promise<void> {
  for await (const { svid } of source.updates()) {
    if (svid !== undefined) tell({ event: "identity", id: svid.id, expiresAtMs: svid.notAfter });
  }
}

function decisionOf(error: unknown): string {
  for (let current = error; isBonafideError(current); current = current.cause) {
    const decision = current.details["decision"];
    if (decision !== undefined) return decision;
  }
  return "";
}
