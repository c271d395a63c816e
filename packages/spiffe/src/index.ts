export { SPIFFE_ERRORS, type SpiffeErrorCode } from "./errors.ts";
export { parseTrustDomain } from "./id/parse-trust-domain.ts";
export {
  isMemberOf,
  isReserved,
  isSpiffeId,
  parseSpiffeId,
  type ParseSpiffeIdOptions,
  pathOf,
  segmentsOf,
  type SpiffeId,
  type SpiffeIdFault,
  spiffeIdFault,
  spiffeIdOf,
  trustDomainOf,
} from "./id/spiffe-id.ts";
export {
  isTrustDomain,
  parseTrustDomainName,
  type TrustDomain,
  type TrustDomainFault,
  trustDomainFault,
} from "./id/trust-domain.ts";
