/** The text of a wire ID; empty if there is none. */
export function idText(
  id: { readonly trustDomain: string; readonly path: string } | undefined,
): string {
  return id === undefined ? "" : `spiffe://${id.trustDomain}${id.path}`;
}
