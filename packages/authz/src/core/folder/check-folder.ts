import { isBonafideError } from "@bonafide/errors";
import { compilePolicies } from "../engine/compile.ts";
import type { EntityStore } from "../engine/entities.ts";
import { modelEntities } from "../model/model.ts";
import { BASE_SCHEMA } from "../model/schema.ts";
import { checkOwnership, namedEntity } from "./check-ownership.ts";
import type { Finding } from "./finding.ts";
import type { Folder } from "./folder.ts";
import { type FolderParsers, readFolder, type ReadFolder } from "./read-folder.ts";

/** What is wrong with one policy. */
export interface PolicyComplaint {
  readonly policyId: string;
  readonly reason: string;
}

/** The languages of a folder, and Cedar's validator; given by the caller, so that this package holds none of them. */
export interface FolderTools extends FolderParsers {
  /** What does not fit a schema in Cedar's text form. The policies are in the JSON policy form, by id. */
  readonly validate: (
    schema: string,
    policies: ReadonlyMap<string, unknown>,
  ) => readonly PolicyComplaint[];
}

/**
 * Reads a folder and checks all of it: files, rules of ownership, schema, and that this engine can evaluate every policy
 * and each can apply to something that is declared.
 *
 * @returns The findings in the order of files and lines; with any, the folder is not to be used.
 */
export function checkFolder(files: ReadonlyMap<string, string>, tools: FolderTools): ReadFolder {
  const { folder, findings: unread } = readFolder(files, tools);
  const findings = [
    ...unread,
    ...checkOwnership(folder),
    ...checkSchema(folder, tools),
    ...checkEngine(folder),
  ];
  findings.sort((a, b) => compare(a.file, b.file) || a.line - b.line);
  return { folder, findings };
}

function checkSchema(folder: Folder, { validate }: FolderTools): readonly Finding[] {
  const policies = new Map(folder.policies.map(({ id, json }) => [id, json]));
  if (policies.size === 0) return [];
  return validate(BASE_SCHEMA, policies).map(({ policyId, reason }) => ({
    ...placeOf(folder, policyId),
    rule: "schema",
    reason: `${policyId}: ${reason}`,
  }));
}

function checkEngine(folder: Folder): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (policyId: string, reason: string): void => {
    findings.push({ ...placeOf(folder, policyId), rule: "model", reason });
  };
  let entities: EntityStore;
  try {
    entities = modelEntities(folder.model);
  } catch (error) {
    // Names come from other files already checked; only groups can still be in a circle.
    return [{ file: "people.yaml", line: 1, rule: "model", reason: messageOf(error) }];
  }
  for (const { id, json, policy } of folder.policies) {
    try {
      compilePolicies([[id, json]]);
    } catch (error) {
      report(id, messageOf(error));
    }
    const resource = namedEntity(policy.resource);
    if (resource !== undefined && isDeclarable(resource.type)) {
      const isKnown =
        resource.type === "BF::Team"
          ? folder.org.teams.has(resource.id)
          : entities.find(resource.key) !== undefined;
      if (!isKnown) report(id, `${id}: nothing declares ${resource.key}, so it never applies`);
    }
    const caller = namedEntity(policy.principal);
    if (caller?.type === "BF::Team" && !folder.org.teams.has(caller.id)) {
      report(id, `${id}: there is no ${caller.key}, so it never applies`);
    }
  }
  return findings;
}

/** Tags are declared by being used, and a guardrail may name one before anybody does. */
function isDeclarable(type: string): boolean {
  return /^BF::(?:Team|Service|Route|Table|Topic)$/.test(type);
}

function placeOf({ policies }: Folder, policyId: string): Pick<Finding, "file" | "line"> {
  const { file, line } = policies.find(({ id }) => id === policyId) ?? { file: "", line: 1 };
  return { file, line };
}

function messageOf(error: unknown): string {
  if (isBonafideError(error)) return error.message;
  throw error;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
