import { createHmac, hash, randomBytes } from "node:crypto";
import { SALT_BYTES } from "./limits.ts";

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** HMAC-SHA256, 32 bytes. */
export function hmacSha256(secret: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac("sha256", secret);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** Salts come from a pool: a call for each cost 5 us, one call per 256 costs next to nothing. */
const POOL_SALTS = 256;
let pool: Uint8Array = new Uint8Array(0);
let poolOffset = 0;

/** 16 random bytes, never given out twice; a copy, so that the pool's other salts do not travel with it. */
export function freshSalt(): Uint8Array {
  if (poolOffset === pool.length) {
    pool = randomBytes(SALT_BYTES * POOL_SALTS);
    poolOffset = 0;
  }
  const salt = pool.slice(poolOffset, poolOffset + SALT_BYTES);
  poolOffset += SALT_BYTES;
  return salt;
}
