import {
  JoinTokenSchema,
  NodeSchema,
  NodeState,
} from "@bonafide/proto/bonafide/ledger/v1/objects_pb";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { fromHex, toHex } from "../bytes.ts";
import type { JoinTokenObject, NodeObject } from "../objects.ts";
import { type Codec, fromPosition, toPosition, toSafeNumber, wordOf } from "./codec.ts";

const STATES = {
  live: NodeState.LIVE,
  banned: NodeState.BANNED,
  evicted: NodeState.EVICTED,
} as const;

/** Kind 4. */
export const nodeCodec: Codec<NodeObject> = {
  encode: (node) =>
    toBinary(
      NodeSchema,
      create(NodeSchema, {
        spiffeId: node.spiffeId,
        attestationType: node.attestationType,
        selectors: node.selectors.map(({ type, value }) => ({ type, value })),
        ...(node.validFrom === undefined ? {} : { validFrom: fromPosition(node.validFrom) }),
        state: STATES[node.state],
        canReattest: node.canReattest,
      }),
    ),
  decode: (bytes) => {
    const wire = fromBinary(NodeSchema, bytes);
    return {
      kind: "node",
      spiffeId: wire.spiffeId,
      attestationType: wire.attestationType,
      selectors: wire.selectors.map(({ type, value }) => ({ type, value })),
      validFrom: wire.validFrom === undefined ? undefined : toPosition(wire.validFrom),
      state: wordOf(STATES, wire.state),
      canReattest: wire.canReattest,
    };
  },
};

/** Kind 5. */
export const joinTokenCodec: Codec<JoinTokenObject> = {
  encode: (token) =>
    toBinary(
      JoinTokenSchema,
      create(JoinTokenSchema, {
        tokenSha256: fromHex(token.tokenSha256),
        expiresAtMs: BigInt(token.expiresAtMs),
        alias: token.alias,
        aliasEntryId: token.aliasEntryId,
        ...(token.spent === undefined
          ? {}
          : {
              node: token.spent.node,
              firstCsrKeySha256: token.spent.firstKeySha256,
              spentAtMs: BigInt(token.spent.atMs),
            }),
      }),
    ),
  decode: (bytes) => {
    const wire = fromBinary(JoinTokenSchema, bytes);
    // Any of the three marks it as spent: what is unclear must not become a token that can be spent again.
    const spent = wire.node !== "" || wire.firstCsrKeySha256.length > 0 || wire.spentAtMs !== 0n;
    return {
      kind: "joinToken",
      tokenSha256: toHex(wire.tokenSha256),
      expiresAtMs: toSafeNumber(wire.expiresAtMs),
      alias: wire.alias,
      aliasEntryId: wire.aliasEntryId,
      spent: spent
        ? {
            node: wire.node,
            firstKeySha256: wire.firstCsrKeySha256,
            atMs: toSafeNumber(wire.spentAtMs),
          }
        : undefined,
    };
  },
};
