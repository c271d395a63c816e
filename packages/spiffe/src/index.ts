export {
  formatBundleMap,
  formatSpiffeBundle,
  parseBundleMap,
  parseSpiffeBundle,
  REFRESH_HINT_SECONDS_DEFAULT,
  refreshAfterSeconds,
  type SpiffeBundle,
} from "./bundle/spiffe-bundle.ts";
export { type TokenAuthority } from "./bundle/token-authority.ts";
export {
  formatJwtBundle,
  type JwtBundle,
  jwtBundleOf,
  type JwtBundleSet,
  jwtBundleSetOf,
  parseJwtBundle,
} from "./bundle/jwt-bundle.ts";
export {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from "./bundle/json.ts";
export { isAudience, type JwtSvid, type JwtSvidFacts, parseJwtSvid } from "./jwt/jwt-svid.ts";
export { type JwtSvidTemplate, signJwtSvid } from "./jwt/sign-jwt-svid.ts";
export {
  bearerFetch,
  bearerOf,
  bearerRequestHeaders,
  type JwtSvidSource,
  type VerifyBearerOptions,
  verifyBearer,
} from "./jwt/bearer.ts";
export { bearerCallCredentials, verifyGrpcBearer } from "./jwt/grpc-bearer.ts";
export { JwtSource } from "./source/jwt-source.ts";
export type { FollowingOptions } from "./source/open-followed.ts";
export { type JwtSourceOptions, openJwtSource } from "./source/open-jwt-source.ts";
export {
  VerifiedJwtSvid,
  verifyJwtSvid,
  type VerifyJwtSvidOptions,
} from "./jwt/verify-jwt-svid.ts";
export {
  concatenateDer,
  formatX509BundleDer,
  parseX509BundleDer,
  parseX509BundlePem,
  type X509Bundle,
  x509BundleOf,
} from "./bundle/x509-bundle.ts";
export {
  type SharedKey,
  sharedKeys,
  type X509BundleSet,
  x509BundleSetOf,
} from "./bundle/x509-bundle-set.ts";
export { type BonafideError } from "@bonafide/errors";
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
export { leafId } from "./svid/leaf.ts";
export {
  parseX509Svid,
  parseX509SvidPem,
  type X509Svid,
  type X509SvidBytes,
  x509SvidOf,
  type X509SvidParts,
} from "./svid/x509-svid.ts";
export {
  createX509SvidCache,
  type VerifiedX509Svid,
  verifyX509Svid,
  type VerifyX509SvidOptions,
  type X509SvidCache,
} from "./verify/verify-x509-svid.ts";
export { type X509Context, x509ContextOf, type X509ContextSource } from "./source/x509-context.ts";
export {
  createTlsAcceptor,
  createTlsAcceptorWithAnonymous,
  type Refusal,
  type TakeConnection,
  type TakenConnection,
  type TlsAcceptor,
  type TlsAcceptorOptions,
} from "./tls/acceptor.ts";
export { type Authorizer, exactId, memberOf, oneOf, predicate } from "./tls/authorizer.ts";
export {
  createTlsConnector,
  type TlsConnector,
  type TlsConnectorOptions,
  type TlsTarget,
  type VerifiedConnection,
} from "./tls/connector.ts";
export { secureContextOptions } from "./tls/secure-context.ts";
export { VerifiedPeer, type VerifyPeerOptions } from "./tls/verified-peer.ts";
export { type FileSourceOptions, openFileSource } from "./source/file-source.ts";
export { type IdentityFiles, identityFilesIn } from "./source/identity-files.ts";
export { X509Source } from "./source/x509-source.ts";
export {
  ENDPOINT_VARIABLE,
  type EndpointAddress,
  endpointAddress,
  parseEndpointAddress,
} from "./workload-api/endpoint-address.ts";
export { openSource, type SourceOptions } from "./source/open-source.ts";
export { openX509Source, type X509SourceOptions } from "./source/open-x509-source.ts";
export { grpcCredentials } from "./tls/grpc-client.ts";
export { createGrpcAcceptor, type GrpcAcceptorOptions, grpcPeer } from "./tls/grpc-server.ts";
export {
  createHttpsAgent,
  type HttpsAgentOptions,
  type UndiciConnect,
  undiciConnect,
} from "./tls/https-agent.ts";
export {
  createHttpsServer,
  httpPeer,
  type HttpsServer,
  type HttpsServerOptions,
  type VerifiedRequest,
  type VerifiedRequestListener,
} from "./tls/https-server.ts";
export {
  type ClosableClient,
  openRotatingGrpcClient,
  type RotatingGrpcClient,
  type RotatingGrpcClientOptions,
} from "./tls/rotating-grpc-client.ts";
export { type ReadX509ContextOptions } from "./workload-api/read-x509-context.ts";
export {
  openWorkloadApi,
  WorkloadApiClient,
  type WorkloadApiOptions,
} from "./workload-api/workload-api-client.ts";
