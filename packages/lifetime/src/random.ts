import { randomInt } from "node:crypto";

/** Where jitter comes from; keys and salts never use it. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
}

/** The system's randomness. */
export const systemRandom: Random = { fraction: () => randomInt(2 ** 32) / 2 ** 32 };
