import {
  AlarmSchema,
  BundleEndpointProfile,
  BundleSchema,
  FederationSchema,
  SettingSchema,
} from "@bonafide/proto/bonafide/ledger/v1/objects_pb";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { AlarmObject, BundleObject, FederationObject, SettingObject } from "../objects.ts";
import { type Codec, toSafeNumber, wordOf } from "./codec.ts";

const PROFILES = {
  https_web: BundleEndpointProfile.HTTPS_WEB,
  https_spiffe: BundleEndpointProfile.HTTPS_SPIFFE,
} as const;

/** Kind 7. */
export const bundleCodec: Codec<BundleObject> = {
  encode: (bundle) =>
    toBinary(
      BundleSchema,
      create(BundleSchema, {
        trustDomain: bundle.trustDomain,
        jwks: bundle.jwks,
        sequenceNumber: bundle.sequenceNumber,
        refreshHint: BigInt(bundle.refreshHintSeconds),
        source: bundle.source,
      }),
    ),
  decode: (bytes) => {
    const wire = fromBinary(BundleSchema, bytes);
    return {
      kind: "bundle",
      trustDomain: wire.trustDomain,
      jwks: wire.jwks,
      sequenceNumber: wire.sequenceNumber,
      refreshHintSeconds: toSafeNumber(wire.refreshHint),
      source: wire.source,
    };
  },
};

/** Kind 8. */
export const federationCodec: Codec<FederationObject> = {
  encode: (federation) =>
    toBinary(
      FederationSchema,
      create(FederationSchema, {
        trustDomain: federation.trustDomain,
        bundleEndpointUrl: federation.bundleEndpointUrl,
        profile: PROFILES[federation.profile],
        endpointSpiffeId: federation.endpointSpiffeId,
      }),
    ),
  decode: (bytes) => {
    const wire = fromBinary(FederationSchema, bytes);
    return {
      kind: "federation",
      trustDomain: wire.trustDomain,
      bundleEndpointUrl: wire.bundleEndpointUrl,
      profile: wordOf(PROFILES, wire.profile),
      endpointSpiffeId: wire.endpointSpiffeId,
    };
  },
};

/** Kind 11. */
export const alarmCodec: Codec<AlarmObject> = {
  encode: (alarm) =>
    toBinary(
      AlarmSchema,
      create(AlarmSchema, { id: alarm.id, code: alarm.code, facts: { ...alarm.facts } }),
    ),
  decode: (bytes) => {
    const { id, code, facts } = fromBinary(AlarmSchema, bytes);
    return { kind: "alarm", id, code, facts };
  },
};

/** Kind 13. */
export const settingCodec: Codec<SettingObject> = {
  encode: ({ name, value }) => toBinary(SettingSchema, create(SettingSchema, { name, value })),
  decode: (bytes) => {
    const { name, value } = fromBinary(SettingSchema, bytes);
    return { kind: "setting", name, value };
  },
};
