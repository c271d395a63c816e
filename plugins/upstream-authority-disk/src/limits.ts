/** Bounds on what is read. */
export const LIMITS = {
  /** Bytes of one file. */
  fileBytes: 1_048_576,
  /** Certificates of one file. */
  certificates: 100,
} as const;
