/** A package that users install. */
export interface PublishedPackage {
  /** Its folder in `packages/`. */
  readonly folder: string;
  readonly description: string;
  /** Modules that users import, relative to the build, by what they write. */
  readonly entries: Readonly<Record<string, string>>;
  /** Of ours, published by themselves: two copies would not know each other's peers and bundles. */
  readonly peers: readonly string[];
}

/** All that is published, what others need first. */
export const PUBLISHED: readonly PublishedPackage[] = [
  {
    folder: "spiffe",
    description: "SPIFFE identities for Node: rotating X509-SVIDs, verified TLS, HTTPS and gRPC",
    entries: { ".": "spiffe/index", "./testing": "spiffe/testing/index" },
    peers: [],
  },
  {
    folder: "authz",
    description: "Access policies in Cedar: ownership, who can, why, and signed bundles",
    entries: { ".": "authz/index", "./node": "authz/node/index", "./routes": "authz/routes/index" },
    peers: [],
  },
  {
    folder: "enforce",
    description:
      "Asks a signed bundle of policies before a call is answered: HTTPS, Express, Fastify, gRPC",
    entries: { ".": "enforce/index", "./testing": "enforce/testing/index" },
    peers: ["@bonafide/authz", "@bonafide/spiffe"],
  },
];
