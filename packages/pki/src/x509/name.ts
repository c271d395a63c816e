/** One attribute of a distinguished name. */
export interface NameAttribute {
  readonly type: "C" | "O" | "OU" | "CN" | "serialNumber" | "x500UniqueIdentifier";
  readonly value: string;
}

/**
 * Writes a distinguished name, one attribute a set, in the given order.
 *
 * @param attributes  None for the empty subject.
 * @returns DER of the Name. Keep it: it is made once for many certificates.
 * @throws TEMPLATE_INVALID  an empty or overlong value
 * @spec RFC 5280 §4.1.2.4
 */
export function encodeName(attributes: readonly NameAttribute[]): Uint8Array {
  throw new Error(`not yet ${attributes.length}`);
}

/**
 * Renders a distinguished name for people, such as `C=US, O=SPIRE`. Not for comparing: compare the DER.
 *
 * @throws CERTIFICATE_MALFORMED  not a Name
 */
export function describeName(name: Uint8Array): string {
  throw new Error(`not yet ${name.length}`);
}
