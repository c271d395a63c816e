/** Bounds on everything that comes from outside; exceeding one is a coded error. */
export const PKI_LIMITS = {
  /** Bytes of one certificate or request. */
  certificateBytes: 32_768,
  /** Characters of one PEM text. */
  pemCharacters: 1_048_576,
  /** Blocks of one PEM text, and certificates of one concatenation. */
  certificates: 1024,
  /** Nesting of DER elements. */
  derDepth: 16,
  /** Extensions of one certificate or request. */
  extensions: 64,
  /** Names of one subject alternative name extension, and subtrees of one name constraint. */
  alternativeNames: 256,
  /** Attributes of one distinguished name. */
  nameAttributes: 32,
  /** Characters of one URI name. */
  uriCharacters: 2048,
  /** Certificates that a peer may present, leaf included. */
  presented: 10,
  /** Certificates of a path, leaf and anchor included. */
  pathDepth: 8,
  /** Signatures checked before the search for a path is given up. */
  pathSignatures: 32,
  /** Bits of an RSA key, at least and at most. */
  rsaBitsMin: 2048,
  rsaBitsMax: 8192,
  /** Chains that a verdict cache remembers. */
  verdicts: 4096,
} as const;
