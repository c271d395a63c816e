import { parseSpiffeId, pathOf, trustDomainOf } from "@bonafide/spiffe";

/** The wire form of an ID given as a flag. @throws SPIFFE_ID_INVALID */
export function wireId(text: string): { readonly trustDomain: string; readonly path: string } {
  const id = parseSpiffeId(text);
  return { trustDomain: trustDomainOf(id), path: pathOf(id) };
}
