/** Bytes of a nonce, of either side: what SPIRE's have, and nothing else is taken. */
export const NONCE_BYTES = 32;
/** Bytes of one message as JSON. */
export const MESSAGE_BYTES_MAX = 131_072;
/** Bytes of one signature, or of one number of it: an RSA key of 8192 bits. */
export const SIGNATURE_BYTES_MAX = 1024;
/** Bytes of a file of certificates, or of a key. */
export const FILE_BYTES_MAX = 1_048_576;
/** URI names of a certificate that become selectors. */
export const SAN_SELECTORS_MAX = 64;
/** Characters of one selector's value. */
export const SELECTOR_CHARACTERS_MAX = 1024;
