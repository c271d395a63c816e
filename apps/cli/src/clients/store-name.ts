import { Buffer } from "node:buffer";
import { BonafideError } from "@bonafide/errors";
import { verifyStore } from "@bonafide/server";
import { openSqliteStore } from "@bonafide/store-sqlite";
import { CLI_ERRORS } from "../errors.ts";

/** The name of the state that a store holds. */
export interface StoreName {
  readonly epoch: number;
  readonly n: number;
  /** Hexadecimal. */
  readonly root: string;
}

/**
 * Recomputes every hash of a database file that nobody writes. @returns the name of its state
 *
 * @throws BACKUP_INVALID  something is wrong in it
 * @throws STORE_*  it cannot be read
 */
export async function verifiedName(
  path: string,
  options: { readonly signal: AbortSignal },
): Promise<StoreName> {
  const store = await openSqliteStore({ path, readOnly: true });
  try {
    const { epoch } = await store.ledger.head();
    const { faults, faultCount, leaves, root } = await verifyStore(store, options);
    const [first] = faults;
    if (first !== undefined) {
      const message = `${path} does not hold together: ${first.text} (${faultCount} faults)`;
      throw new BonafideError(CLI_ERRORS, "BACKUP_INVALID", message);
    }
    return { epoch, n: leaves, root: Buffer.from(root).toString("hex") };
  } finally {
    await store.close();
  }
}

/** A state for people. */
export function nameText({ epoch, n, root }: StoreName): string {
  return `epoch ${epoch}, n ${n}, root ${root}`;
}
