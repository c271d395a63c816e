/** Bounds on everything that reaches the server from outside. Sizes in bytes unless named otherwise. */
export const LIMITS = {
  /** One gRPC message. */
  messageBytes: 4_194_304,
  /** Streams open at once on one connection. */
  streamsPerConnection: 256,
  /** Connections open at once on the TLS port. */
  connections: 20_000,
  /** Time for one TLS handshake, ms. */
  handshakeMs: 10_000,
  /** Certificates of one presented chain. */
  chainCertificates: 8,
  /** One certificate request. */
  csrBytes: 16_384,
  /** One attestation payload or answer to a challenge. */
  attestationBytes: 262_144,
  /** Time for each message of an attestation or a recovery, ms. */
  attestationMs: 30_000,
  /** Certificates signed by one call. */
  signaturesPerCall: 500,
  /** Entries of one batch call. */
  entriesPerCall: 1000,
  /** Entries in one message of the sync streams (SPIRE's page size). */
  syncPage: 500,
  /** Time for each message of a polling agent, ms. */
  syncMs: 60_000,
  /** Push streams of one node; the oldest makes room. */
  watchesPerNode: 4,
  /** Entries of one ListEntries page, whatever was asked. */
  listPage: 10_000,
  selectorsPerEntry: 128,
  selectorTypeBytes: 255,
  selectorValueBytes: 4096,
  federatesWith: 256,
  dnsNames: 64,
  hintBytes: 1024,
  entryIdChars: 255,
  agentVersionChars: 255,
  joinTokenBytes: 255,
  /** Longest life of a join token, seconds. */
  joinTokenTtlSeconds: 2_592_000,
  labels: 64,
  labelBytes: 255,
  ownerBytes: 255,
  /** Buckets kept by one rate limiter; the least recently used goes first. */
  rateBuckets: 50_000,
} as const;
