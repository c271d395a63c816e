import { EpochSchema, type Name } from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import {
  LedgerSchema,
  LogKeyState,
  ServerSchema,
} from "@bonafide/proto/bonafide/ledger/v1/objects_pb";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { EpochObject, LedgerObject, ServerObject } from "../objects.ts";
import type { StateName } from "../state-name.ts";
import { type Codec, malformed, toPosition, wordOf } from "./codec.ts";

const KEY_STATES = { active: LogKeyState.ACTIVE, revoked: LogKeyState.REVOKED } as const;

/** Kind 1. */
export const ledgerCodec: Codec<LedgerObject> = {
  encode: ({ ledgerId, trustDomain }) =>
    toBinary(LedgerSchema, create(LedgerSchema, { ledgerId, trustDomain })),
  decode: (bytes) => {
    const { ledgerId, trustDomain } = fromBinary(LedgerSchema, bytes);
    return { kind: "ledger", ledgerId, trustDomain };
  },
};

/** Kind 2. */
export const epochCodec: Codec<EpochObject> = {
  encode: (epoch) =>
    toBinary(
      EpochSchema,
      create(EpochSchema, {
        ...(epoch.openedAfter === undefined ? {} : { openedAfter: fromName(epoch.openedAfter) }),
        cause: epoch.cause,
        incarnation: { ...epoch.incarnation },
        slot: epoch.slot,
        abandoned: epoch.abandoned.map(({ newest, leafHashes }) => ({
          newest: fromName(newest),
          leafHash: [...leafHashes],
        })),
        missingServers: [...epoch.missingServers],
      }),
    ),
  decode: (bytes, place) => {
    const wire = fromBinary(EpochSchema, bytes);
    if (wire.incarnation === undefined) throw malformed("an epoch names no incarnation");
    return {
      kind: "epoch",
      epoch: place.epoch,
      openedAfter: wire.openedAfter === undefined ? undefined : toName(wire.openedAfter),
      cause: wire.cause,
      incarnation: { system: wire.incarnation.system, timeline: wire.incarnation.timeline },
      slot: wire.slot,
      abandoned: wire.abandoned.map(({ newest, leafHash }) => {
        if (newest === undefined) throw malformed("an abandoned branch has no name");
        return { newest: toName(newest), leafHashes: leafHash };
      }),
      missingServers: wire.missingServers,
    };
  },
};

/** Kind 10. */
export const serverCodec: Codec<ServerObject> = {
  encode: (server) =>
    toBinary(
      ServerSchema,
      create(ServerSchema, {
        id: server.id,
        slot: server.slot,
        logKeys: server.logKeys.map(({ publicKey, state }) => ({
          publicKey,
          state: KEY_STATES[state],
        })),
        version: server.version,
      }),
    ),
  decode: (bytes) => {
    const wire = fromBinary(ServerSchema, bytes);
    return {
      kind: "server",
      id: wire.id,
      slot: wire.slot,
      logKeys: wire.logKeys.map(({ publicKey, state }) => ({
        publicKey,
        state: wordOf(KEY_STATES, state),
      })),
      version: wire.version,
    };
  },
};

function fromName(name: StateName): { epoch: number; n: bigint; root: Uint8Array } {
  return { epoch: name.epoch, n: BigInt(name.n), root: name.root };
}

function toName(wire: Name): StateName {
  return { ...toPosition({ ...wire, $typeName: "bonafide.ledger.v1.Position" }), root: wire.root };
}
