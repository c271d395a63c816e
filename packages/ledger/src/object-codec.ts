import { BonafideError, isBonafideError } from "@bonafide/errors";
import { authorityCodec } from "./codec/authority.ts";
import type { Codec } from "./codec/codec.ts";
import { entryCodec } from "./codec/entry.ts";
import { alarmCodec, bundleCodec, federationCodec, settingCodec } from "./codec/facts.ts";
import { epochCodec, ledgerCodec, serverCodec } from "./codec/ledger.ts";
import { joinTokenCodec, nodeCodec } from "./codec/node.ts";
import { LEDGER_ERRORS } from "./errors.ts";
import { KINDS } from "./kinds.ts";
import type { AnyObject, ObjectKind } from "./objects.ts";

/**
 * The protobuf bytes (`bonafide.ledger.v1`) of an object, without salt.
 *
 * @spec docs/adr/0020-leaf-format.md
 */
export function encodeObject(object: AnyObject): Uint8Array {
  switch (object.kind) {
    case "ledger":
      return ledgerCodec.encode(object);
    case "epoch":
      return epochCodec.encode(object);
    case "entry":
      return entryCodec.encode(object);
    case "node":
      return nodeCodec.encode(object);
    case "joinToken":
      return joinTokenCodec.encode(object);
    case "authority":
      return authorityCodec.encode(object);
    case "bundle":
      return bundleCodec.encode(object);
    case "federation":
      return federationCodec.encode(object);
    case "server":
      return serverCodec.encode(object);
    case "alarm":
      return alarmCodec.encode(object);
    default:
      return settingCodec.encode(object);
  }
}

const decoders: { readonly [K in ObjectKind]: Codec<AnyObject>["decode"] } = {
  ledger: ledgerCodec.decode,
  epoch: epochCodec.decode,
  entry: entryCodec.decode,
  node: nodeCodec.decode,
  joinToken: joinTokenCodec.decode,
  authority: authorityCodec.decode,
  bundle: bundleCodec.decode,
  federation: federationCodec.decode,
  server: serverCodec.decode,
  alarm: alarmCodec.decode,
  setting: settingCodec.decode,
};

/**
 * Reads {@link encodeObject}.
 *
 * @param place.epoch  Epoch of the leaf that commits to these bytes; an epoch object carries its number there only.
 * @throws BODY_MALFORMED  not a message of the kind, or an enum value that must be understood and is not
 */
export function decodeObject(
  kind: ObjectKind,
  bytes: Uint8Array,
  place: { readonly epoch: number },
): AnyObject {
  try {
    return decoders[kind](bytes, place);
  } catch (cause) {
    if (isBonafideError(cause)) throw cause;
    throw new BonafideError(
      LEDGER_ERRORS,
      "BODY_MALFORMED",
      `an object is no message of kind ${KINDS[kind]}`,
      { cause },
    );
  }
}
