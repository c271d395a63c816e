/** The ASN.1 tags that certificates use, as their one identifier octet. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A context-specific primitive tag, such as `[6]` of a URI name. */
export const contextTag = (number: number): number => 0x80 | number;

/** A context-specific constructed tag, such as `[3]` of the extensions. */
export const contextGroupTag = (number: number): number => 0xa0 | number;
