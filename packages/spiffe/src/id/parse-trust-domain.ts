import { parseSpiffeId, trustDomainOf } from "./spiffe-id.ts";
import { parseTrustDomainName, type TrustDomain } from "./trust-domain.ts";

/**
 * Reads what a person or a configuration calls a trust domain: its name, or any SPIFFE ID in it.
 *
 * @throws TRUST_DOMAIN_INVALID  the text has no `:/` and is no name
 * @throws SPIFFE_ID_INVALID     the text has `:/` and is no SPIFFE ID
 */
export function parseTrustDomain(text: string): TrustDomain {
  return text.includes(":/") ? trustDomainOf(parseSpiffeId(text)) : parseTrustDomainName(text);
}
