import type { Entry } from "@bonafide/proto/spire/api/types/entry_pb";
import { idText } from "./spiffe-id.ts";

/** An entry beside what SPIRE's wire has no place for. */
export interface OwnedEntry {
  readonly entry: Entry;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An entry as JSON shows it; stable. */
export function entryJson(owned: OwnedEntry): Readonly<Record<string, unknown>> {
  const { entry } = owned;
  return {
    id: entry.id,
    spiffeId: idText(entry.spiffeId),
    parentId: idText(entry.parentId),
    selectors: entry.selectors.map(({ type, value }) => `${type}:${value}`),
    x509SvidTtlSeconds: entry.x509SvidTtl,
    jwtSvidTtlSeconds: entry.jwtSvidTtl,
    federatesWith: entry.federatesWith,
    admin: entry.admin,
    downstream: entry.downstream,
    expiresAt: Number(entry.expiresAt),
    dnsNames: entry.dnsNames,
    hint: entry.hint,
    storeSvid: entry.storeSvid,
    revision: Number(entry.revisionNumber),
    createdAt: Number(entry.createdAt),
    owner: owned.owner,
    labels: owned.labels,
  };
}

/** An entry for people: a line each for what is set. */
export function entryText(owned: OwnedEntry): string {
  const { entry } = owned;
  const lines: readonly (readonly [string, string])[] = [
    ["entry", entry.id],
    ["SPIFFE ID", idText(entry.spiffeId)],
    ["parent", idText(entry.parentId)],
    ...entry.selectors.map(({ type, value }) => ["selector", `${type}:${value}`] as const),
    ["X509-SVID TTL", entry.x509SvidTtl === 0 ? "" : `${entry.x509SvidTtl}s`],
    ["JWT-SVID TTL", entry.jwtSvidTtl === 0 ? "" : `${entry.jwtSvidTtl}s`],
    ["federates with", entry.federatesWith.join(", ")],
    ["DNS names", entry.dnsNames.join(", ")],
    ["hint", entry.hint],
    ["flags", [entry.admin ? "admin" : "", entry.downstream ? "downstream" : ""].join(" ").trim()],
    ["expires", entry.expiresAt === 0n ? "" : isoSeconds(entry.expiresAt)],
    ["owner", owned.owner],
    [
      "labels",
      Object.entries(owned.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(", "),
    ],
    ["revision", String(entry.revisionNumber)],
  ];
  return lines
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(14)}  ${value}`)
    .join("\n");
}

/** Unix seconds as text. */
export function isoSeconds(seconds: bigint | number): string {
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
