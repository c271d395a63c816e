/** Bytes of an encoded leaf, format 1. */
export const LEAF_BYTES = 80;
/** Bytes of an object's pseudonym in a leaf. */
export const KEY_BYTES = 16;
/** Bytes of every hash here: leaf, node, root, commitment, part. */
export const HASH_BYTES = 32;
/** Bytes of salt before each part of a body. */
export const SALT_BYTES = 16;
/**
 * Largest epoch, 17 bits: with 36 bits of n the wire number stays below 2^53, which every JSON parser keeps exactly.
 * With 16 slots that is 8,191 openings.
 */
export const EPOCH_MAX = 131_071;
/** Largest n, 36 bits: 68 thousand million leaves, 5.5 TB of headers alone. */
export const N_MAX: number = 2 ** 36 - 1;
/** Largest part of a body, in bytes of protobuf; a foreign bundle is the largest object, 8 KB as a rule. */
export const PART_BYTES_MAX: number = 1024 * 1024;
/** Abandoned or settled leaves that one leaf may name. */
export const NAMED_LEAVES_MAX = 4096;
