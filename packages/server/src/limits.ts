/** Bounds on everything that reaches the server from outside. Sizes in bytes unless named otherwise. */
export const LIMITS = {
  /** One gRPC message. */
  messageBytes: 4_194_304,
  /** Streams open at once on one connection of the private socket. */
  localStreams: 256,
  /** Streams open at once on one connection of a member: an agent has one that lasts, and few calls beside it. */
  memberStreams: 32,
  /** Connections open at once of one member. */
  memberConnections: 16,
  /** Connections open at once on the TLS port. */
  connections: 20_000,
  /** Connections open at once of all who showed no certificate that is admitted. */
  strangers: 1024,
  /** Of these, connections of one IPv4 address or one /64; handshakes under way count too. */
  strangersPerAddress: 128,
  /** Connections open at once of one IPv6 /48, as so many times those of one address. */
  addressesPerSite: 8,
  /** Connections open at once that are not, or not yet, a member's; silent ones too. */
  unproven: 8192,
  /** Streams open at once on one connection of a stranger. */
  strangerStreams: 4,
  /** One request of a stranger: an attestation payload or a chain, with a certificate request. */
  strangerRequestBytes: 327_680,
  /** Pieces that the requests of one call of a stranger may come in; honest ones come in pieces of 16 KiB. */
  strangerRequestFrames: 128,
  /** Time for one TLS handshake, ms. */
  handshakeMs: 10_000,
  /** Certificates of one presented chain. */
  chainCertificates: 8,
  /** One certificate request. */
  csrBytes: 16_384,
  /** One attestation payload or answer to a challenge. */
  attestationBytes: 262_144,
  /** Authorities that administrators appended to our bundle. */
  appendedAuthorities: 128,
  /** Challenges of one attestation. */
  attestationRounds: 8,
  /** Time for each message of an attestation or a recovery, ms. */
  attestationMs: 30_000,
  /** Certificates signed by one call. */
  signaturesPerCall: 500,
  /** Entries of one batch call. */
  entriesPerCall: 1000,
  /** Other trust domains' bundles, or relationships with them, of one batch call. */
  bundlesPerCall: 250,
  /** Another trust domain's bundle as a document. Agents and workloads get it with all others in one message. */
  foreignBundleBytes: 262_144,
  /** Authorities of each kind in it. */
  foreignAuthorities: 128,
  /** Other trust domains' bundles in one message of the push stream. */
  foreignBytesPerMessage: 1_048_576,
  /** A bundle endpoint's URL. */
  endpointUrlChars: 2048,
  /** A bundle endpoint's whole answer: a document with much that is not understood is still read. */
  fetchedBytes: 1_048_576,
  /** Header of a bundle endpoint's answer, and of a request to ours. */
  endpointHeaderBytes: 16_384,
  /** Time for one fetch, ms. */
  fetchMs: 30_000,
  /** Bundles fetched at once. */
  fetchesAtOnce: 10,
  /** Connections at a time to our bundle endpoint. */
  endpointConnections: 1024,
  /** Of these, of one IPv4 address or one /64. */
  endpointConnectionsPerAddress: 32,
  /** Time for a request to our bundle endpoint, and to answer it, ms. */
  endpointRequestMs: 10_000,
  /** A certificate or key file of our bundle endpoint. */
  webCertificateBytes: 1_048_576,
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
  /** Shortest join token that may be chosen, characters: 96 bits if they are random. Ours have 122. */
  joinTokenCharsMin: 16,
  /** Longest life of a join token, seconds. */
  joinTokenTtlSeconds: 2_592_000,
  labels: 64,
  labelBytes: 255,
  ownerBytes: 255,
  /** Old authorities of one use that one server has published when another one is prepared by force. */
  oldAuthorities: 16,
  /** JWT keys that one server below this one has published. */
  downstreamKeys: 16,
  /** JWT keys of all servers, at which none is taken of those below any more: agents take 2048. */
  publishedKeys: 512,
  /** Characters of the id of a key that another server published. */
  keyIdChars: 255,
  /** Certificates between an authority and its root, itself included: the rest of a chain is for leaves. */
  upstreamChain: 6,
  /** Roots and keys that an upstream authority publishes. */
  upstreamAuthorities: 1000,
  /** Buckets kept by one rate limiter; the least recently used goes first. */
  rateBuckets: 50_000,
} as const;
