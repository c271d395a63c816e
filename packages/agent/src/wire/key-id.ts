import { type Certificate, keyIdOf } from "@bonafide/pki";

/** Hex of an authority's key id, computed from its key, so that two certificates of one key are one authority. */
export function authorityKeyId(authority: Pick<Certificate, "spki">): string {
  return Buffer.from(keyIdOf(authority.spki)).toString("hex");
}
