import type { ScopeConstraint } from "../engine/policy.ts";
import type { EntityUid } from "../engine/values.ts";
import { ownerOfId, type ServiceDeclaration } from "../model/model.ts";
import { readSpiffePath } from "../model/spiffe-paths.ts";
import { type Finding, type FindingRule, lineOf } from "./finding.ts";
import type { Folder, SourcedPolicy } from "./folder.ts";

type Services = ReadonlyMap<string, ServiceDeclaration>;

/** Classes of data that need a second approver. */
export const GUARDED_DATA: readonly string[] = ["pci", "pii"];
const OWNED_TYPES: ReadonlySet<string> = new Set([
  "BF::Service",
  "BF::Route",
  "BF::Table",
  "BF::Topic",
]);

/**
 * Checks who may say what, on the syntax trees and never on texts.
 *
 * - R1 a team's policy names, in its scope, a resource of that team: the destination's owner grants. No wildcards. So
 *   does a team's invariant.
 * - R2 guardrails only forbid.
 * - R3 a SPIFFE prefix and a service have one owner, and workloads get their team from their ID.
 * - R4 a prefix may lie within another team's only if that team is above.
 * - R5 callers of federated trust domains, and resources with guarded data, need the approver that `org.yaml` names.
 * - R6 `@expires` is a date or a time (and a condition, see {@link readFolder}).
 * - R7 `@id`, unique and stable, and `@reason`; `@owner`, if given, is the team.
 * - R9 nobody approves their own request.
 *
 * @returns What is wrong; nothing if the folder may be used. R8 is {@link codeowners}.
 */
export function checkOwnership(folder: Folder): readonly Finding[] {
  const services = new Map(folder.model.services.map((service) => [service.name, service]));
  return [
    ...checkTeams(folder),
    ...folder.policies.flatMap((policy) => checkPolicy(policy, folder, services)),
    ...checkAsks(folder),
    ...checkInvariants(folder, services),
  ];
}

function checkPolicy(sourced: SourcedPolicy, folder: Folder, services: Services): Finding[] {
  const { file, line, team, policy } = sourced;
  const findings: Finding[] = [];
  const report = (rule: FindingRule, reason: string): void => {
    findings.push({ file, line, rule, reason: `${sourced.id}: ${reason}` });
  };
  const { annotations } = policy;
  if ((annotations.get("reason") ?? "").trim() === "") report("R7", "a policy needs a @reason");
  const owner = annotations.get("owner");
  if (owner !== undefined && owner !== team) report("R7", `@owner ${owner} is not the team`);
  if (team === undefined) {
    if (policy.effect !== "forbid") report("R2", "guardrails may only forbid");
    return findings;
  }
  const named = namedEntity(policy.resource);
  const service = named && services.get(serviceOf(named));
  if (named === undefined) {
    report("R1", "the scope has to name a resource, with == or in");
  } else if (!isOwned(named, team, services)) {
    report("R1", `${named.key} is not ${team}'s`);
  }
  if (policy.effect === "forbid") return findings;
  const { approvers } = folder.org;
  const given = (annotations.get("approver") ?? "").split(/[\s,]+/);
  const classes = dataOf(named, service, team, services).filter((name) =>
    GUARDED_DATA.includes(name),
  );
  if (isOpenToOthers(policy.principal, folder)) {
    classes.push("federated");
    const domain = domainOf(namedEntity(policy.principal));
    if (domain !== undefined && !folder.model.federated.includes(domain)) {
      report("R5", `org.yaml does not list ${domain} as federated: its callers are refused`);
    }
  }
  for (const name of new Set(classes)) {
    const approver = approvers.get(name);
    if (approver === undefined) report("R5", `org.yaml names nobody who approves ${name}`);
    else if (!given.includes(approver)) report("R5", `${name} needs @approver ${approver}`);
  }
  return findings;
}

/** The entity that a part of a scope names; `undefined` for any, or any of a type. */
export function namedEntity(constraint: ScopeConstraint): EntityUid | undefined {
  switch (constraint.op) {
    case "equals":
      return constraint.entity;
    case "in":
      return constraint.entities[0];
    case "is":
      return constraint.within;
    default:
      return undefined;
  }
}

function isOwned({ type, id }: EntityUid, team: string, services: Services): boolean {
  if (type === "BF::Team") return id === team;
  return OWNED_TYPES.has(type) && services.get(serviceOf({ type, id }))?.team === team;
}

/** The service that a resource belongs to; no name of a service holds a slash. */
function serviceOf({ type, id }: Pick<EntityUid, "type" | "id">): string {
  return type === "BF::Service" ? id : (id.split("/")[0] ?? "");
}

function dataOf(
  named: EntityUid | undefined,
  service: ServiceDeclaration | undefined,
  team: string,
  services: Services,
): string[] {
  if (named?.type !== "BF::Team") return [...(service?.data ?? [])];
  return [...services.values()].flatMap((owned) => (owned.team === team ? owned.data : []));
}

/** Whether callers of another trust domain can meet the scope of the principal. */
function isOpenToOthers(constraint: ScopeConstraint, { model }: Folder): boolean {
  const entity = namedEntity(constraint);
  switch (entity?.type) {
    case undefined: {
      const type = constraint.op === "is" ? constraint.type : "BF::Workload";
      return type === "BF::Workload" && model.federated.length > 0;
    }
    case "BF::TrustDomain":
      return entity.id !== model.trustDomain;
    case "BF::IdPath":
    case "BF::Workload":
      return trustDomainOf(entity.id) !== model.trustDomain;
    default:
      return false;
  }
}

/** The trust domain that a caller or a group of callers is of. */
function domainOf(entity: EntityUid | undefined): string | undefined {
  if (entity === undefined) return undefined;
  return entity.type === "BF::TrustDomain" ? entity.id : trustDomainOf(entity.id);
}

function trustDomainOf(id: string): string | undefined {
  try {
    return readSpiffePath(id).trustDomain;
  } catch {
    // Whatever it is, it is not ours.
    return undefined;
  }
}

function checkTeams({ files, org, model }: Folder): readonly Finding[] {
  const findings: Finding[] = [];
  const text = files.get("org.yaml") ?? "";
  const report = (rule: FindingRule, reason: string, part: string): void => {
    findings.push({ file: "org.yaml", line: lineOf(text, part), rule, reason });
  };
  const owners = new Map<string, string>();
  for (const { name, ids, parent, owners: people } of org.teams.values()) {
    if (people.length === 0) report("R3", `team ${name} has no owners`, `${name}:`);
    if (parent !== undefined && !org.teams.has(parent)) report("R4", `no team ${parent}`, parent);
    if (aboveOf(name, org.teams).includes(name))
      report("R4", `team ${name} is above itself`, `${name}:`);
    for (const id of ids) {
      const other = owners.get(id);
      if (other !== undefined) report("R3", `${id} is claimed by ${other} and ${name}`, id);
      owners.set(id, name);
      const { trustDomain, prefixes } = readSpiffePath(id);
      if (trustDomain !== model.trustDomain) report("R3", `${id} is of another trust domain`, id);
      if (prefixes.length === 0) report("R3", `${name} cannot own a whole trust domain`, id);
    }
  }
  for (const { name, ids } of org.teams.values()) {
    const above = aboveOf(name, org.teams);
    for (const id of ids) {
      const [, ...shorter] = readSpiffePath(id).prefixes;
      const around = shorter.map((prefix) => owners.get(prefix));
      for (const other of around) {
        if (other !== undefined && other !== name && !above.includes(other)) {
          report("R4", `${id} of ${name} lies within ${other}'s, which is not above it`, id);
        }
      }
    }
  }
  for (const { id } of model.workloads) {
    const isOwn = readSpiffePath(id).trustDomain === model.trustDomain;
    if (isOwn && ownerOfId(model.idOwners, id) === undefined) {
      const file = "workloads.yaml";
      const line = lineOf(files.get(file) ?? "", id);
      findings.push({ file, line, rule: "R3", reason: `${id} is nobody's` });
    }
  }
  return findings;
}

/** The teams above a team, near first; ends in a circle. */
function aboveOf(name: string, teams: Folder["org"]["teams"]): readonly string[] {
  const above: string[] = [];
  for (let next = teams.get(name)?.parent; next !== undefined; next = teams.get(next)?.parent) {
    if (above.includes(next)) break;
    above.push(next);
  }
  return above;
}

function checkAsks({ asks }: Folder): readonly Finding[] {
  return asks
    .filter(({ requestedBy, approvedBy }) => approvedBy.includes(requestedBy))
    .map(({ file, requestedBy }) => ({
      file,
      line: 1,
      rule: "R9" as const,
      reason: `${requestedBy} approves a request of their own`,
    }));
}

/** A team may demand things of who reaches its own resources; of others, only the organisation. */
function checkInvariants({ tests }: Folder, services: Services): readonly Finding[] {
  return tests.flatMap(({ file, line, team, test }): Finding[] => {
    if (team === undefined || test.kind !== "invariant") return [];
    const { to } = test.invariant;
    const [, kind, name = ""] = /^(?:([a-z]+):)?(.*)$/s.exec(to) ?? [];
    const owner =
      kind === "team"
        ? name
        : kind === "tag" || kind === "data"
          ? undefined
          : services.get(name.split("/")[0] ?? "")?.team;
    return owner === team ? [] : [{ file, line, rule: "R1", reason: `${to} is not ${team}'s` }];
  });
}
