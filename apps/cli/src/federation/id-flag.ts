/** The flag that names another trust domain, as SPIRE's commands spell it. */
export const ID_FLAG = {
  id: {
    kind: "string",
    required: true,
    help: "whose bundle it is",
    placeholder: "TRUST-DOMAIN",
    spire: "id",
  },
} as const;
