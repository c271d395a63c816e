/** Longest SPIFFE ID in bytes (SPIFFE-ID §2.3; conformance decision C3). */
export const SPIFFE_ID_BYTES_MAX = 2048;

/** Longest trust domain name in bytes (SPIFFE-ID §2.3). */
export const TRUST_DOMAIN_BYTES_MAX = 255;

/** Longest hint of an SVID in bytes (Workload API §8). */
export const HINT_BYTES_MAX = 1024;

/** Largest bundle document, and largest DER form of one, in bytes. */
export const BUNDLE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Most keys in one bundle document. */
export const BUNDLE_KEYS_MAX = 1024;

/** Most trust domains in one bundle set or map. */
export const BUNDLE_SET_MAX = 10_000;

/** Deepest nesting of a JSON document. */
export const JSON_DEPTH_MAX = 32;

/** Most certificates a peer may present, its leaf included. */
export const CHAIN_CERTIFICATES_MAX = 10;

/** Most SVIDs in one Workload API message. */
export const SVIDS_MAX = 1024;

/** Verdicts kept by one cache. */
export const VERDICTS_MAX = 4096;

/** Largest Workload API message a client takes, in bytes. */
export const WORKLOAD_API_MESSAGE_BYTES_MAX: number = 16 * 1024 * 1024;

/** Largest identity file the file source reads, in bytes. */
export const IDENTITY_FILE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Longest path of a unix socket in bytes: Linux's 108 with the final NUL. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** Longest JWT-SVID in characters. */
export const JWT_SVID_CHARACTERS_MAX = 131_072;

/** Most audiences of one JWT-SVID. */
export const AUDIENCES_MAX = 32;

/** Longest audience in bytes. */
export const AUDIENCE_BYTES_MAX = 2048;

/** All audiences of one JWT-SVID as JSON, bytes. */
export const AUDIENCES_JSON_BYTES_MAX = 16_384;

/** Keys tried for a JWT-SVID that does not say which one signed it. */
export const KEYS_TRIED_MAX = 16;

/** How far clocks may be apart when a JWT-SVID's times are judged, at most and by default, ms. */
export const JWT_LEEWAY_MS = 60_000;
