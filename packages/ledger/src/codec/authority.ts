import {
  AuthorityKind,
  AuthoritySchema,
  AuthorityState,
} from "@bonafide/proto/bonafide/ledger/v1/objects_pb";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { AuthorityObject } from "../objects.ts";
import { type Codec, toSafeNumber, wordOf } from "./codec.ts";

const USES = { x509: AuthorityKind.X509, jwt: AuthorityKind.JWT } as const;
const STATES = {
  prepared: AuthorityState.PREPARED,
  active: AuthorityState.ACTIVE,
  old: AuthorityState.OLD,
  tainted: AuthorityState.TAINTED,
  revoked: AuthorityState.REVOKED,
  expired: AuthorityState.EXPIRED,
} as const;

/** Kind 6. */
export const authorityCodec: Codec<AuthorityObject> = {
  encode: (authority) =>
    toBinary(
      AuthoritySchema,
      create(AuthoritySchema, {
        id: authority.id,
        kind: USES[authority.use],
        server: authority.server,
        certificateChain: [...authority.certificateChain],
        publicKey: authority.publicKey,
        notBeforeMs: BigInt(authority.notBeforeMs),
        notAfterMs: BigInt(authority.notAfterMs),
        state: STATES[authority.state],
        preparedAtMs: BigInt(authority.preparedAtMs),
        activatedAtMs: BigInt(authority.activatedAtMs),
        keyId: authority.keyId,
      }),
    ),
  decode: (bytes) => {
    const wire = fromBinary(AuthoritySchema, bytes);
    return {
      kind: "authority",
      id: wire.id,
      use: wordOf(USES, wire.kind),
      server: wire.server,
      certificateChain: wire.certificateChain,
      publicKey: wire.publicKey,
      notBeforeMs: toSafeNumber(wire.notBeforeMs),
      notAfterMs: toSafeNumber(wire.notAfterMs),
      state: wordOf(STATES, wire.state),
      preparedAtMs: toSafeNumber(wire.preparedAtMs),
      activatedAtMs: toSafeNumber(wire.activatedAtMs),
      keyId: wire.keyId,
    };
  },
};
