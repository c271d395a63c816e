import { BonafideError, isBonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { parseSpiffeId, pathOf, trustDomainOf } from "../id/spiffe-id.ts";
import type { TrustDomain } from "../id/trust-domain.ts";
import { BUNDLE_SET_MAX } from "../limits.ts";

/** Reads an answer; whatever it throws becomes the reason why the answer is discarded. @throws WORKLOAD_API_RESPONSE_INVALID */
export function readAnswer<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isBonafideError(cause, "WORKLOAD_API_RESPONSE_INVALID")) throw cause;
    throw answerInvalid(isBonafideError(cause) ? cause.code : "unknown", cause);
  }
}

/** Reads a map of bundles by the ID of their trust domain. To be called within {@link readAnswer}. */
export function readBundleMap<B>(
  map: Readonly<Record<string, Uint8Array>>,
  parse: (trustDomain: TrustDomain, bytes: Uint8Array) => B,
): readonly B[] {
  const entries = Object.entries(map);
  if (entries.length > BUNDLE_SET_MAX) throw answerInvalid("too-many-bundles");
  return entries.map(([key, bytes]) => {
    const id = parseSpiffeId(key);
    if (pathOf(id) !== "") throw answerInvalid("trust-domain-id");
    return parse(trustDomainOf(id), bytes);
  });
}

/** Error of an answer that is discarded. */
export function answerInvalid(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(
    SPIFFE_ERRORS,
    "WORKLOAD_API_RESPONSE_INVALID",
    `the Workload API's answer was discarded: ${reason}`,
    { details: { reason }, cause },
  );
}
