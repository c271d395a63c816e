import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "./gen/google/rpc/error_details_pb.ts";
import { file_google_rpc_status } from "./gen/google/rpc/status_pb.ts";
import { file_grpc_health_v1_health } from "./gen/grpc/health/v1/health_pb.ts";
import { file_grpc_reflection_v1_reflection } from "./gen/grpc/reflection/v1/reflection_pb.ts";
import { file_grpc_reflection_v1alpha_reflection } from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_spire_api_agent_debug_v1_debug } from "./gen/spire/api/agent/debug/v1/debug_pb.ts";
import { file_spire_api_agent_delegatedidentity_v1_delegatedidentity } from "./gen/spire/api/agent/delegatedidentity/v1/delegatedidentity_pb.ts";
import { file_spire_api_agent_logger_v1_logger } from "./gen/spire/api/agent/logger/v1/logger_pb.ts";
import { file_spire_api_server_agent_v1_agent } from "./gen/spire/api/server/agent/v1/agent_pb.ts";
import { file_spire_api_server_bundle_v1_bundle } from "./gen/spire/api/server/bundle/v1/bundle_pb.ts";
import { file_spire_api_server_debug_v1_debug } from "./gen/spire/api/server/debug/v1/debug_pb.ts";
import { file_spire_api_server_entry_v1_entry } from "./gen/spire/api/server/entry/v1/entry_pb.ts";
import { file_spire_api_server_localauthority_v1_localauthority } from "./gen/spire/api/server/localauthority/v1/localauthority_pb.ts";
import { file_spire_api_server_logger_v1_logger } from "./gen/spire/api/server/logger/v1/logger_pb.ts";
import { file_spire_api_server_svid_v1_svid } from "./gen/spire/api/server/svid/v1/svid_pb.ts";
import { file_spire_api_server_trustdomain_v1_trustdomain } from "./gen/spire/api/server/trustdomain/v1/trustdomain_pb.ts";
import { file_spire_api_types_agent } from "./gen/spire/api/types/agent_pb.ts";
import { file_spire_api_types_attestation } from "./gen/spire/api/types/attestation_pb.ts";
import { file_spire_api_types_bundle } from "./gen/spire/api/types/bundle_pb.ts";
import { file_spire_api_types_entry } from "./gen/spire/api/types/entry_pb.ts";
import { file_spire_api_types_federateswith } from "./gen/spire/api/types/federateswith_pb.ts";
import { file_spire_api_types_federationrelationship } from "./gen/spire/api/types/federationrelationship_pb.ts";
import { file_spire_api_types_jointoken } from "./gen/spire/api/types/jointoken_pb.ts";
import { file_spire_api_types_jwtsvid } from "./gen/spire/api/types/jwtsvid_pb.ts";
import { file_spire_api_types_logger } from "./gen/spire/api/types/logger_pb.ts";
import { file_spire_api_types_selector } from "./gen/spire/api/types/selector_pb.ts";
import { file_spire_api_types_spiffeid } from "./gen/spire/api/types/spiffeid_pb.ts";
import { file_spire_api_types_status } from "./gen/spire/api/types/status_pb.ts";
import { file_spire_api_types_witsvid } from "./gen/spire/api/types/witsvid_pb.ts";
import { file_spire_api_types_x509svid } from "./gen/spire/api/types/x509svid_pb.ts";
import { file_workload } from "./gen/workload_pb.ts";

/** Every file of the frozen wire. */
const FILES: readonly DescFile[] = [
  file_google_rpc_error_details,
  file_google_rpc_status,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection,
  file_spire_api_agent_debug_v1_debug,
  file_spire_api_agent_delegatedidentity_v1_delegatedidentity,
  file_spire_api_agent_logger_v1_logger,
  file_spire_api_server_agent_v1_agent,
  file_spire_api_server_bundle_v1_bundle,
  file_spire_api_server_debug_v1_debug,
  file_spire_api_server_entry_v1_entry,
  file_spire_api_server_localauthority_v1_localauthority,
  file_spire_api_server_logger_v1_logger,
  file_spire_api_server_svid_v1_svid,
  file_spire_api_server_trustdomain_v1_trustdomain,
  file_spire_api_types_agent,
  file_spire_api_types_attestation,
  file_spire_api_types_bundle,
  file_spire_api_types_entry,
  file_spire_api_types_federateswith,
  file_spire_api_types_federationrelationship,
  file_spire_api_types_jointoken,
  file_spire_api_types_jwtsvid,
  file_spire_api_types_logger,
  file_spire_api_types_selector,
  file_spire_api_types_spiffeid,
  file_spire_api_types_status,
  file_spire_api_types_witsvid,
  file_spire_api_types_x509svid,
  file_workload,
];

const GOLDEN = join(import.meta.dirname, "..", "wire.golden.txt");

test("the frozen wire has the names, numbers and types it was frozen with", () => {
  const summary = FILES.flatMap(describeFile).join("\n").concat("\n");
  if (process.env["BONAFIDE_UPDATE_GOLDEN"] === "1") writeFileSync(GOLDEN, summary);
  assert.equal(summary, readFileSync(GOLDEN, "utf8"));
});

test("no file of the frozen wire is left out of the summary", () => {
  const generated = globSync("gen/**/*_pb.ts", { cwd: import.meta.dirname })
    .filter((name) => !name.startsWith("gen/bonafide/"))
    .map((name) => name.slice("gen/".length, -"_pb.ts".length));
  assert.deepEqual(FILES.map(({ name }) => name).toSorted(), generated.toSorted());
  assert.ok(generated.length > 30);
});

function describeFile(file: DescFile): string[] {
  return [
    `file ${file.proto.name} package ${file.proto.package}`,
    ...file.services.flatMap((service) => [
      `service ${service.typeName}`,
      ...service.methods.map(
        ({ name, methodKind, input, output }) =>
          `  ${name} ${methodKind} ${input.typeName} ${output.typeName}`,
      ),
    ]),
    ...file.messages.flatMap(describeMessage),
    ...file.enums.flatMap(describeEnum),
  ];
}

function describeMessage(message: DescMessage): string[] {
  return [
    `message ${message.typeName}`,
    ...message.fields.map(describeField),
    ...message.nestedMessages.flatMap(describeMessage),
    ...message.nestedEnums.flatMap(describeEnum),
  ];
}

function describeEnum({ typeName, values }: DescFile["enums"][number]): string[] {
  return [`enum ${typeName}`, ...values.map(({ name, number }) => `  ${number} ${name}`)];
}

function describeField(field: DescField): string {
  const { oneof, deprecated } = field;
  const explicit = field.proto.proto3Optional;
  return [
    `  ${field.number} ${field.name} ${typeOf(field)}`,
    ...(oneof === undefined ? [] : [`oneof ${oneof.name}`]),
    ...(explicit ? ["optional"] : []),
    ...(deprecated ? ["deprecated"] : []),
  ].join(" ");
}

function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return scalarName(field.scalar);
    case "enum":
      return field.enum.typeName;
    case "message":
      return field.message.typeName;
    case "list":
      return `repeated ${valueOf(field)}`;
    case "map":
      return `map<${scalarName(field.mapKey)}, ${valueOf(field)}>`;
    default:
      return field satisfies never;
  }
}

function valueOf(field: DescField & { fieldKind: "list" | "map" }): string {
  return (
    field.message?.typeName ??
    field.enum?.typeName ??
    (field.scalar === undefined ? "?" : scalarName(field.scalar))
  );
}

function scalarName(scalar: ScalarType): string {
  return (ScalarType[scalar] ?? "?").toLowerCase();
}
