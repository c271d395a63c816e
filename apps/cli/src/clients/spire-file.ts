import { readFileSync, statSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import type { Agent } from "@bonafide/proto/spire/api/types/agent_pb";
import { AgentSchema } from "@bonafide/proto/spire/api/types/agent_pb";
import type { Bundle } from "@bonafide/proto/spire/api/types/bundle_pb";
import { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import type { Entry } from "@bonafide/proto/spire/api/types/entry_pb";
import { EntrySchema } from "@bonafide/proto/spire/api/types/entry_pb";
import type { FederationRelationship } from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import { FederationRelationshipSchema } from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import {
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { CLI_ERRORS } from "../errors.ts";

/** What a server that speaks SPIRE's API holds, as far as it can be given to another one. */
export interface SpireFile {
  readonly trustDomain: string;
  readonly entries: readonly Entry[];
  readonly agents: readonly Agent[];
  readonly bundles: readonly Bundle[];
  readonly relationships: readonly FederationRelationship[];
}

/** Largest file that is read, bytes: a million small entries. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;
const VERSION = 1;

/** The file's text: JSON, each object as protobuf's JSON form has it. */
export function formatSpireFile(file: SpireFile): string {
  const { trustDomain, entries, agents, bundles, relationships } = file;
  const value = {
    version: VERSION,
    trustDomain,
    entries: jsonOf(EntrySchema, entries),
    agents: jsonOf(AgentSchema, agents),
    bundles: jsonOf(BundleSchema, bundles),
    federationRelationships: jsonOf(FederationRelationshipSchema, relationships),
  };
  return `${JSON.stringify(value, undefined, 1)}\n`;
}

function jsonOf<D extends DescMessage>(
  schema: D,
  items: readonly MessageShape<D>[],
): readonly JsonValue[] {
  return items.map((item) => toJson(schema, item));
}

/** Reads what {@link formatSpireFile} wrote. @throws FILE_UNREADABLE, IMPORT_INVALID */
export function readSpireFile(path: string): SpireFile {
  let text: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error("it is too large");
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `${path}: ${why}`, { cause });
  }
  try {
    return parseSpireFile(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "IMPORT_INVALID", `${path}: ${why}`, { cause });
  }
}

function parseSpireFile(text: string): SpireFile {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JSON.parse gives
  const value = JSON.parse(text) as JsonValue;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("is no object");
  }
  if (value["version"] !== VERSION) throw new Error(`is not of version ${VERSION}`);
  const { trustDomain } = value;
  if (typeof trustDomain !== "string") throw new Error("names no trust domain");
  const all = <D extends DescMessage>(schema: D, key: string): MessageShape<D>[] => {
    const items = value[key] ?? [];
    if (!Array.isArray(items)) throw new Error(`${key} is no list`);
    return items.map((item) => fromJson(schema, item));
  };
  return {
    trustDomain,
    entries: all(EntrySchema, "entries"),
    agents: all(AgentSchema, "agents"),
    bundles: all(BundleSchema, "bundles"),
    relationships: all(FederationRelationshipSchema, "federationRelationships"),
  };
}
