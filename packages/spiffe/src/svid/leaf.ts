import { BonafideError } from "@bonafide/errors";
import { type Certificate, KEY_USAGE } from "@bonafide/pki";
import { SPIFFE_ERRORS } from "../errors.ts";
import { isSpiffeId, pathOf, type SpiffeId, spiffeIdFault } from "../id/spiffe-id.ts";

/**
 * The SPIFFE ID of a leaf certificate, after the rules that need no authority.
 *
 * @throws X509_SVID_INVALID  `details.reason`: `uri-names` (none or several), `spiffe-id-...`, `root-path`,
 *   `leaf-is-authority`, `leaf-key-usage`
 * @spec X509-SVID §5.2
 */
export function leafId(leaf: Certificate): SpiffeId {
  const [uri, ...more] = leaf.uris;
  if (uri === undefined || more.length > 0) throw invalid("uri-names");
  if (!isSpiffeId(uri)) throw invalid(`spiffe-id-${spiffeIdFault(uri) ?? ""}`);
  if (pathOf(uri) === "") throw invalid("root-path");
  if (leaf.isAuthority) throw invalid("leaf-is-authority");
  const mayNot = KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign;
  if (((leaf.keyUsage ?? 0) & mayNot) !== 0) throw invalid("leaf-key-usage");
  return uri;
}

function invalid(reason: string): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "X509_SVID_INVALID", `not an X509-SVID: ${reason}`, {
    details: { reason },
  });
}
