import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  type Actor as WireActor,
  MetaSchema,
  type Settled as WireSettled,
} from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { fromPosition, toSafeNumber } from "./codec/codec.ts";
import { LEDGER_ERRORS } from "./errors.ts";
import type { Actor, Meta, Settled } from "./meta.ts";

/** The protobuf bytes of `bonafide.ledger.v1.Meta`, without salt. */
export function encodeMeta(meta: Meta): Uint8Array {
  return toBinary(
    MetaSchema,
    create(MetaSchema, {
      ...(meta.actor === undefined
        ? {}
        : { actor: { via: meta.actor.via, who: whoOf(meta.actor) } }),
      cause: meta.cause,
      settles: meta.settles.map((settled) => ({
        ...fromPosition(settled),
        leafHash: settled.leafHash,
      })),
      requestId: meta.requestId,
      schema: meta.schema,
    }),
  );
}

/**
 * Reads {@link encodeMeta}.
 *
 * @throws BODY_MALFORMED
 */
export function decodeMeta(bytes: Uint8Array): Meta {
  try {
    const wire = fromBinary(MetaSchema, bytes);
    return {
      actor: wire.actor === undefined ? undefined : toActor(wire.actor),
      cause: wire.cause,
      settles: wire.settles.map(toSettled),
      requestId: wire.requestId,
      schema: wire.schema,
    };
  } catch (cause) {
    if (isBonafideError(cause)) throw cause;
    throw new BonafideError(LEDGER_ERRORS, "BODY_MALFORMED", "a meta part is no message", {
      cause,
    });
  }
}

type Who = NonNullable<NonNullable<MessageInitShape<typeof MetaSchema>["actor"]>["who"]>;

function whoOf(actor: Actor): Who {
  if ("spiffeId" in actor) return { case: "spiffeId", value: actor.spiffeId };
  if ("uid" in actor) return { case: "uid", value: actor.uid };
  if ("server" in actor) return { case: "server", value: actor.server };
  return { case: "person", value: actor.person };
}

function toActor({ who, via }: WireActor): Actor | undefined {
  switch (who.case) {
    case "spiffeId":
      return { via, spiffeId: who.value };
    case "uid":
      return { via, uid: who.value };
    case "server":
      return { via, server: who.value };
    case "person":
      return { via, person: who.value };
    default:
      return undefined;
  }
}

function toSettled(wire: WireSettled): Settled {
  return { epoch: wire.epoch, n: toSafeNumber(wire.n), leafHash: wire.leafHash };
}
