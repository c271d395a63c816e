import { encodePublicKey } from "@bonafide/pki";
import {
  UpdateKind,
  type WatchResponse,
  WatchResponseSchema,
} from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { type Bundle, BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import { type Entry as WireEntry, EntrySchema } from "@bonafide/proto/spire/api/types/entry_pb";
import type { SPIFFEID } from "@bonafide/proto/spire/api/types/spiffeid_pb";
import { SPIFFEIDSchema } from "@bonafide/proto/spire/api/types/spiffeid_pb";
import { isSpiffeId, pathOf, trustDomainOf } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import type { TrustBundle } from "../core/bundle.ts";
import type { Entry } from "../core/entry.ts";
import type { Picture } from "../picture/picture.ts";
import { authorityKeyId } from "./key-id.ts";

/** An entry in the server's form. */
export function formatEntry(entry: Entry): WireEntry {
  const parent = formatId(entry.parentId);
  return create(EntrySchema, {
    id: entry.id,
    spiffeId: formatId(entry.spiffeId),
    ...(parent === undefined ? {} : { parentId: parent }),
    selectors: entry.selectors.map(({ type, value }) => ({ type, value })),
    federatesWith: [...entry.federatesWith],
    hint: entry.hint,
    revisionNumber: entry.revision,
    createdAt: entry.createdAt,
    expiresAt: entry.expiresAt,
    admin: entry.admin,
    downstream: entry.downstream,
    storeSvid: entry.storeSvid,
    ...(entry.jwtSvidIncludeJti ? { additionalAttributes: { jwtSvidIncludeJti: true } } : {}),
  });
}

/** A bundle in the server's form. */
export function formatBundle(bundle: TrustBundle): Bundle {
  return create(BundleSchema, {
    trustDomain: bundle.trustDomain,
    x509Authorities: bundle.x509.authorities.map((authority) => ({
      asn1: authority.der,
      tainted: bundle.tainted.has(authorityKeyId(authority)),
    })),
    jwtAuthorities: [...bundle.jwt.keys].map(([keyId, publicKey]) => ({
      keyId,
      publicKey: encodePublicKey(publicKey),
      tainted: bundle.taintedJwt.has(keyId),
    })),
    sequenceNumber: bundle.sequence,
  });
}

/** The whole picture as one full update of the push stream: what the agent keeps on disk. */
export function formatPicture(picture: Picture): WatchResponse {
  const { state } = picture;
  return create(WatchResponseSchema, {
    kind: UpdateKind.FULL,
    ...(state === undefined ? {} : { state }),
    revision: picture.revision,
    entries: [...picture.entries.entries()].map((entry) => formatEntry(entry)),
    bundle: formatBundle(picture.bundle),
    federatedBundles: [...picture.federated.values()].map((bundle) => formatBundle(bundle)),
  });
}

function formatId(id: string | undefined): SPIFFEID | undefined {
  if (id === undefined || !isSpiffeId(id)) return undefined;
  return create(SPIFFEIDSchema, { trustDomain: trustDomainOf(id), path: pathOf(id) });
}
