import {
  type Body,
  decodeBody,
  decodeLeaf,
  decodeObject,
  type Kind,
  kindName,
  isObjectKind,
  type Leaf,
  leafHash,
  naturalKeyOf,
  partBytes,
  wireNumber,
} from "@bonafide/ledger";
import type { StoredLeaf } from "@bonafide/plugin-api";
import { type LogResponse, LogResponseSchema } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { EpochSchema, MetaSchema } from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import {
  AlarmSchema,
  AuthoritySchema,
  BundleSchema,
  EntrySchema,
  FederationSchema,
  JoinTokenSchema,
  LedgerSchema,
  NodeSchema,
  ServerSchema,
  SettingSchema,
} from "@bonafide/proto/bonafide/ledger/v1/objects_pb";
import { create, fromBinary } from "@bufbuild/protobuf";

/** A leaf as the admin API shows it: the bytes for a verifier, and what can be read of them. */
export function toWireLeaf(stored: StoredLeaf): LogResponse {
  const leaf = decodeLeaf(stored.leaf);
  const body = decodeBody(stored.body);
  const meta = partBytes(body.meta);
  return create(LogResponseSchema, {
    leaf: stored.leaf,
    leafHash: leafHash(stored.leaf),
    body: stored.body,
    kind: leaf.kind,
    position: { epoch: leaf.epoch, n: BigInt(leaf.n) },
    timeMs: BigInt(leaf.time),
    prev: BigInt(leaf.prev),
    tombstone: leaf.tombstone,
    reappended: leaf.reappended,
    needs: leaf.needs,
    wireNumber: BigInt(wireNumber(leaf)),
    ...(meta === undefined ? {} : { meta: fromBinary(MetaSchema, meta) }),
    ...objectOf(leaf, body),
  });
}

function objectOf(leaf: Leaf, body: Body): Partial<Pick<LogResponse, "object" | "naturalKey">> {
  const bytes = partBytes(body.object);
  const kind = kindName(leaf.kind);
  if (leaf.tombstone || bytes === undefined || !isObjectKind(kind)) return {};
  return {
    object: wireObject(kind, bytes),
    naturalKey: naturalKeyOf(decodeObject(kind, bytes, leaf)),
  };
}

const READERS: Readonly<Partial<Record<Kind, (bytes: Uint8Array) => LogResponse["object"]>>> = {
  ledger: (bytes) => ({ case: "ledger", value: fromBinary(LedgerSchema, bytes) }),
  epoch: (bytes) => ({ case: "epoch", value: fromBinary(EpochSchema, bytes) }),
  entry: (bytes) => ({ case: "entry", value: fromBinary(EntrySchema, bytes) }),
  node: (bytes) => ({ case: "node", value: fromBinary(NodeSchema, bytes) }),
  joinToken: (bytes) => ({ case: "joinToken", value: fromBinary(JoinTokenSchema, bytes) }),
  authority: (bytes) => ({ case: "authority", value: fromBinary(AuthoritySchema, bytes) }),
  bundle: (bytes) => ({ case: "bundle", value: fromBinary(BundleSchema, bytes) }),
  federation: (bytes) => ({ case: "federation", value: fromBinary(FederationSchema, bytes) }),
  server: (bytes) => ({ case: "server", value: fromBinary(ServerSchema, bytes) }),
  alarm: (bytes) => ({ case: "alarm", value: fromBinary(AlarmSchema, bytes) }),
  setting: (bytes) => ({ case: "setting", value: fromBinary(SettingSchema, bytes) }),
};

function wireObject(kind: Kind, bytes: Uint8Array): LogResponse["object"] {
  return READERS[kind]?.(bytes) ?? { case: undefined };
}
