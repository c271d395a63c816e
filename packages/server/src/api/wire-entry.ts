import type { EntryObject } from "@bonafide/ledger";
import {
  type Entry,
  EntryMaskSchema,
  type EntryMask,
  EntrySchema,
} from "@bonafide/proto/spire/api/types/entry_pb";
import { type SPIFFEID, SPIFFEIDSchema } from "@bonafide/proto/spire/api/types/spiffeid_pb";
import { create } from "@bufbuild/protobuf";
import type { CheckedEntry, EntryInput } from "../core/entry-fields.ts";

/** An ID as the wire has it. Takes any stored text, also a parent that still stands for a join token. */
export function toWireId(id: string): SPIFFEID {
  const rest = id.slice("spiffe://".length);
  const slash = rest.indexOf("/");
  return create(SPIFFEIDSchema, {
    trustDomain: slash === -1 ? rest : rest.slice(0, slash),
    path: slash === -1 ? "" : rest.slice(slash),
  });
}

/** A mask that lets everything through; what an absent mask means. */
export const WHOLE_ENTRY: EntryMask = create(EntryMaskSchema, {
  spiffeId: true,
  parentId: true,
  selectors: true,
  x509SvidTtl: true,
  federatesWith: true,
  admin: true,
  downstream: true,
  expiresAt: true,
  dnsNames: true,
  revisionNumber: true,
  storeSvid: true,
  jwtSvidTtl: true,
  hint: true,
  createdAt: true,
  additionalAttributes: true,
});

/**
 * An entry as the wire has it. The id always goes out, whatever the mask.
 *
 * @param revision  Its wire number, from the registry.
 * @param mask      undefined: every field.
 */
export function toWireEntry(
  entry: EntryObject,
  revision: number,
  mask: EntryMask = WHOLE_ENTRY,
): Entry {
  const { additionalAttributes: more } = entry;
  return create(EntrySchema, {
    id: entry.id,
    ...(mask.spiffeId ? { spiffeId: toWireId(entry.spiffeId) } : {}),
    ...(mask.parentId ? { parentId: toWireId(entry.parentId) } : {}),
    ...(mask.selectors ? { selectors: [...entry.selectors] } : {}),
    ...(mask.x509SvidTtl ? { x509SvidTtl: entry.x509SvidTtlSeconds } : {}),
    ...(mask.federatesWith ? { federatesWith: [...entry.federatesWith] } : {}),
    ...(mask.admin ? { admin: entry.admin } : {}),
    ...(mask.downstream ? { downstream: entry.downstream } : {}),
    ...(mask.expiresAt ? { expiresAt: BigInt(entry.expiresAtSeconds) } : {}),
    ...(mask.dnsNames ? { dnsNames: [...entry.dnsNames] } : {}),
    ...(mask.revisionNumber ? { revisionNumber: BigInt(revision) } : {}),
    ...(mask.storeSvid ? { storeSvid: entry.storeSvid } : {}),
    ...(mask.jwtSvidTtl ? { jwtSvidTtl: entry.jwtSvidTtlSeconds } : {}),
    ...(mask.hint ? { hint: entry.hint } : {}),
    ...(mask.createdAt ? { createdAt: BigInt(entry.createdAtSeconds) } : {}),
    ...(mask.additionalAttributes && more !== undefined
      ? { additionalAttributes: { ...more } }
      : {}),
  });
}

/** What a caller wrote about an entry, unchecked. Revision and creation time cannot be written and are not read. */
export function entryInput(
  entry: Entry,
  ownership: { readonly owner: string; readonly labels: Readonly<Record<string, string>> },
): EntryInput {
  const { spiffeId, parentId, additionalAttributes: more } = entry;
  return {
    id: entry.id,
    spiffeId,
    parentId,
    selectors: entry.selectors.map(({ type, value }) => ({ type, value })),
    x509SvidTtlSeconds: entry.x509SvidTtl,
    jwtSvidTtlSeconds: entry.jwtSvidTtl,
    federatesWith: entry.federatesWith,
    admin: entry.admin,
    downstream: entry.downstream,
    expiresAtSeconds: Number(entry.expiresAt),
    dnsNames: entry.dnsNames,
    storeSvid: entry.storeSvid,
    hint: entry.hint,
    additionalAttributes:
      more === undefined
        ? undefined
        : {
            disableX509SvidPrefetch: more.disableX509SvidPrefetch,
            jwtSvidIncludeJti: more.jwtSvidIncludeJti,
          },
    ...ownership,
  };
}

/** A checked entry as the object that the ledger keeps. */
export function entryObject(
  checked: CheckedEntry,
  id: string,
  createdAtSeconds: number,
): EntryObject {
  return { kind: "entry", ...checked, id, createdAtSeconds };
}

/**
 * A stored entry with the fields that an input mask names replaced by what the caller wrote.
 *
 * @param mask  undefined: every field, also clearing those that the caller left empty.
 */
export function mergeInput(
  stored: EntryObject,
  input: EntryInput,
  mask: EntryMask = WHOLE_ENTRY,
): EntryInput {
  return {
    id: stored.id,
    spiffeId: mask.spiffeId ? input.spiffeId : toWireId(stored.spiffeId),
    parentId: mask.parentId ? input.parentId : toWireId(stored.parentId),
    selectors: mask.selectors ? input.selectors : stored.selectors,
    x509SvidTtlSeconds: mask.x509SvidTtl ? input.x509SvidTtlSeconds : stored.x509SvidTtlSeconds,
    jwtSvidTtlSeconds: mask.jwtSvidTtl ? input.jwtSvidTtlSeconds : stored.jwtSvidTtlSeconds,
    federatesWith: mask.federatesWith ? input.federatesWith : stored.federatesWith,
    admin: mask.admin ? input.admin : stored.admin,
    downstream: mask.downstream ? input.downstream : stored.downstream,
    expiresAtSeconds: mask.expiresAt ? input.expiresAtSeconds : stored.expiresAtSeconds,
    dnsNames: mask.dnsNames ? input.dnsNames : stored.dnsNames,
    storeSvid: mask.storeSvid ? input.storeSvid : stored.storeSvid,
    hint: mask.hint ? input.hint : stored.hint,
    additionalAttributes: mask.additionalAttributes
      ? input.additionalAttributes
      : stored.additionalAttributes,
    owner: stored.owner,
    labels: stored.labels,
  };
}
