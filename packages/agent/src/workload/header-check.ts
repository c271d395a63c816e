import { BonafideError } from "@bonafide/errors";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import type { IncomingCall } from "@bonafide/rpc";
import { AGENT_ERRORS } from "../errors.ts";

/** The header without which no call of the Workload API is one: it keeps requests forged through other protocols out. */
export const SECURITY_HEADER = "workload.spiffe.io";

/**
 * Refuses calls of the Workload API that do not carry the security header exactly once and in exactly one spelling.
 * Other services of the socket do not need it.
 *
 * @throws WORKLOAD_HEADER_MISSING
 * @spec Workload Endpoint §3
 */
export function checkSecurityHeader<Peer>(call: IncomingCall<Peer>): void {
  if (call.service !== SpiffeWorkloadAPI.typeName) return;
  const values = call.headers(SECURITY_HEADER);
  if (values.length === 1 && values[0] === "true") return;
  throw new BonafideError(
    AGENT_ERRORS,
    "WORKLOAD_HEADER_MISSING",
    `the header ${SECURITY_HEADER}: true is required, exactly once`,
    { details: { cause: "protocol.header_missing" } },
  );
}
