import { EntrySchema } from "@bonafide/proto/bonafide/ledger/v1/objects_pb";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { EntryObject } from "../objects.ts";
import { type Codec, toSafeNumber } from "./codec.ts";

/** Kind 3. */
export const entryCodec: Codec<EntryObject> = {
  encode: (entry) => {
    const { additionalAttributes: attributes } = entry;
    return toBinary(
      EntrySchema,
      create(EntrySchema, {
        id: entry.id,
        spiffeId: entry.spiffeId,
        parentId: entry.parentId,
        selectors: entry.selectors.map(({ type, value }) => ({ type, value })),
        x509SvidTtl: entry.x509SvidTtlSeconds,
        federatesWith: [...entry.federatesWith],
        admin: entry.admin,
        downstream: entry.downstream,
        expiresAt: BigInt(entry.expiresAtSeconds),
        dnsNames: [...entry.dnsNames],
        storeSvid: entry.storeSvid,
        jwtSvidTtl: entry.jwtSvidTtlSeconds,
        hint: entry.hint,
        createdAt: BigInt(entry.createdAtSeconds),
        ...(attributes === undefined ? {} : { additionalAttributes: { ...attributes } }),
        owner: entry.owner,
        labels: { ...entry.labels },
      }),
    );
  },
  decode: (bytes) => {
    const wire = fromBinary(EntrySchema, bytes);
    const attributes = wire.additionalAttributes;
    return {
      kind: "entry",
      id: wire.id,
      spiffeId: wire.spiffeId,
      parentId: wire.parentId,
      selectors: wire.selectors.map(({ type, value }) => ({ type, value })),
      x509SvidTtlSeconds: wire.x509SvidTtl,
      jwtSvidTtlSeconds: wire.jwtSvidTtl,
      federatesWith: wire.federatesWith,
      admin: wire.admin,
      downstream: wire.downstream,
      expiresAtSeconds: toSafeNumber(wire.expiresAt),
      dnsNames: wire.dnsNames,
      storeSvid: wire.storeSvid,
      hint: wire.hint,
      createdAtSeconds: toSafeNumber(wire.createdAt),
      additionalAttributes:
        attributes === undefined
          ? undefined
          : {
              disableX509SvidPrefetch: attributes.disableX509SvidPrefetch,
              jwtSvidIncludeJti: attributes.jwtSvidIncludeJti,
            },
      owner: wire.owner,
      labels: wire.labels,
    };
  },
};
