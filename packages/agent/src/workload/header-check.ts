import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import type { IncomingCall } from "@bonafide/rpc";

/** The header without which no call of the Workload API is one: it keeps requests forged through other protocols out. */
export const SECURITY_HEADER = "workload.spiffe.io";

/**
 * Looks for the security header, which calls of the Workload API carry exactly once and in exactly one spelling. Other
 * services of the socket do not need it.
 *
 * @returns What stands there in its place, nothing in the usual case; undefined if the call is in order.
 * @spec Workload Endpoint §3
 */
export function securityHeaderFault<Peer>(call: IncomingCall<Peer>): readonly string[] | undefined {
  if (call.service !== SpiffeWorkloadAPI.typeName) return undefined;
  const values = call.headers(SECURITY_HEADER);
  return values.length === 1 && values[0] === "true" ? undefined : values;
}
