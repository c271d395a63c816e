/** Most policies in one compiled set. */
export const POLICIES_MAX = 100_000;

/** Deepest nesting of one policy's expression. */
export const EXPRESSION_DEPTH_MAX = 400;

/** Most nodes in one policy's expressions. */
export const EXPRESSION_NODES_MAX = 20_000;

/** Deepest nesting of a value in an entity or a context. */
export const VALUE_DEPTH_MAX = 32;

/** Most members in all sets and records of one value. */
export const VALUE_NODES_MAX = 20_000;

/** Most ancestors of one entity, near and far. */
export const ANCESTORS_MAX = 256;

/** Most entities in one store. */
export const ENTITIES_MAX = 1_000_000;

/** Longest text of an IP address or range: 8 groups, 7 colons, a slash and 3 digits. */
export const IP_TEXT_MAX = 43;

/** Longest SPIFFE ID in bytes (SPIFFE-ID §2.3). */
export const SPIFFE_ID_BYTES_MAX = 2048;

/** Most segments of a SPIFFE ID's path; each is one ancestor of the workload. */
export const SPIFFE_SEGMENTS_MAX = 64;

/** Most files of one access model. */
export const MODEL_FILES_MAX = 20_000;

/** Longest file of an access model, in characters. */
export const MODEL_FILE_CHARACTERS_MAX: number = 4 * 1024 * 1024;

/** Most methods or paths read from one OpenAPI or .proto file. */
export const ROUTES_PER_FILE_MAX = 20_000;

/** Longest path of a request. */
export const PATH_CHARACTERS_MAX = 8192;

/** Longest decision record as a line, in characters. */
export const RECORD_CHARACTERS_MAX: number = 64 * 1024;

/** Most policies, faults, scopes or workloads listed in one place of a decision record. */
export const RECORD_ITEMS_MAX = 32;

/** Longest bundle file: envelope, manifest and all slices. */
export const BUNDLE_BYTES_MAX: number = 64 * 1024 * 1024;

/** Longest manifest. */
export const MANIFEST_BYTES_MAX: number = 4 * 1024 * 1024;

/** Most slices of one bundle. */
export const SLICES_MAX = 10_002;

/** Most signatures on one bundle, and keys that one verifier trusts. */
export const POLICY_KEYS_MAX = 16;

/** Longest line of an envelope, without its end: the word, a name of a service, a number. */
export const ENVELOPE_LINE_MAX = 240;

/** Deepest nesting of canonical JSON; an expression of 400 takes up to three levels for each of its own. */
export const CANONICAL_DEPTH_MAX = 1300;

/** How far ahead of our clock a bundle may have been issued, ms. */
export const CLOCK_SKEW_MS: number = 5 * 60_000;

/** Longest life of a bundle, ms: a forgotten one must not grant for years. */
export const BUNDLE_LIFE_MS_MAX: number = 400 * 24 * 3_600_000;

/** Most callers whose entities are kept, of those that a bundle does not list. */
export const CALLERS_KEPT_MAX = 1000;

/** Longest line of an access log, in characters: all that an enforcer counted may stand in one. */
export const LOG_LINE_CHARACTERS_MAX: number = 16 * 1024 * 1024;

/** Most different edges that one reading of an access log tells apart. */
export const LOG_EDGES_MAX = 1_000_000;
