import type { EntryObject, NodeObject } from "@bonafide/ledger";
import type { ProposalOptions } from "../write-lane.ts";

/** An entry with plausible fields; what matters to a test is overridden. */
export function sampleEntry(id: string, over: Partial<EntryObject> = {}): EntryObject {
  return {
    kind: "entry",
    id,
    spiffeId: `spiffe://example.org/${id}`,
    parentId: "spiffe://example.org/spire/agent/join_token/n1",
    selectors: [
      { type: "unix", value: "uid:1000" },
      { type: "unix", value: `path:/opt/${id}` },
    ],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtSeconds: 0,
    dnsNames: [],
    storeSvid: false,
    hint: "",
    createdAtSeconds: 1_795_000_000,
    additionalAttributes: undefined,
    owner: "",
    labels: {},
    ...over,
  };
}

/** A live node. */
export function sampleNode(name: string, over: Partial<NodeObject> = {}): NodeObject {
  return {
    kind: "node",
    spiffeId: `spiffe://example.org/spire/agent/join_token/${name}`,
    attestationType: "join_token",
    selectors: [],
    validFrom: undefined,
    state: "live",
    canReattest: false,
    ...over,
  };
}

/** Who the tests act as. */
export const BY_TEST: ProposalOptions = { actor: { via: "test", uid: 0 }, cause: "test" };
