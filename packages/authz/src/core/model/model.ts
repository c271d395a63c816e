import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { type EntityInput, EntityStore } from "../engine/entities.ts";
import { CedarSet, type EntityUid } from "../engine/values.ts";
import { ACTION_GROUPS, type ActionName, ACTIONS, actionOf, entityOf } from "./entity-names.ts";
import { readSpiffePath } from "./spiffe-paths.ts";

/** Whether a route wants to know on whose behalf it is called. */
export type SubjectRule = "none" | "optional" | "required";

/** A declared HTTP route or gRPC method of a service. */
export interface RouteDeclaration {
  /** Without the service: `v1/refunds/{id}`, or `pay.v1.Payments/Refund`. */
  readonly path: string;
  /** What can be done to it; HTTP methods, or `grpc.call`. */
  readonly actions: readonly ActionName[];
  readonly tags: readonly string[];
  readonly subject: SubjectRule;
}

/** A declared table or topic of a service. */
export interface ThingDeclaration {
  readonly name: string;
  readonly tags: readonly string[];
}

/** A service, with everything of it that can be reached. */
export interface ServiceDeclaration {
  readonly name: string;
  readonly team: string;
  /** Classes of data behind it, such as `pci`. */
  readonly data: readonly string[];
  /** SPIFFE IDs of the workloads that serve it: where a call to it ends up, and who may claim to be it. */
  readonly servedBy: readonly string[];
  readonly routes: readonly RouteDeclaration[];
  readonly tables: readonly ThingDeclaration[];
  readonly topics: readonly ThingDeclaration[];
}

/** What the registry knows of a workload. */
export interface WorkloadDeclaration {
  readonly id: string;
  readonly kind: "service" | "job" | "ai-agent" | "node";
  readonly attested: readonly string[];
}

/** A person and the groups of theirs. */
export interface UserDeclaration {
  readonly name: string;
  readonly groups: readonly string[];
}

/** A machine that a person holds. */
export interface DeviceDeclaration {
  readonly name: string;
  /** A user; `undefined` if it is nobody's. */
  readonly owner: string | undefined;
  /** What is known of its state, such as `disk-encrypted`. */
  readonly posture: readonly string[];
  readonly groups: readonly string[];
}

/** Who and what there is; the policies come beside it. */
export interface AccessModel {
  readonly trustDomain: string;
  readonly federated: readonly string[];
  /** Prefixes of SPIFFE IDs by the team that owns them; the longest prefix decides. */
  readonly idOwners: ReadonlyMap<string, string>;
  readonly services: readonly ServiceDeclaration[];
  readonly workloads: readonly WorkloadDeclaration[];
  readonly users: readonly UserDeclaration[];
  /** Groups and the groups that they are in. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly devices: readonly DeviceDeclaration[];
}

/** Something that can be reached, and one way to reach it. */
export interface Reachable {
  readonly resource: EntityUid;
  readonly actions: readonly ActionName[];
  readonly service: string;
}

/** The path of a route that is not declared: only what permits the whole service reaches it. */
export const UNDECLARED = "?";

/** All that is declared and can be reached, services without undeclared routes included; in order. */
export function reachablesOf({ services }: AccessModel): readonly Reachable[] {
  return services.flatMap(({ name, routes, tables, topics }) => [
    { resource: entityOf("Service", name), actions: ACTIONS.Service, service: name },
    ...routes.map(({ path, actions }) => ({
      resource: entityOf("Route", `${name}/${path}`),
      actions,
      service: name,
    })),
    { resource: entityOf("Route", `${name}/${UNDECLARED}`), actions: ACTIONS.Route, service: name },
    ...tables.map((table) => ({
      resource: entityOf("Table", `${name}/${table.name}`),
      actions: ACTIONS.Table,
      service: name,
    })),
    ...topics.map((topic) => ({
      resource: entityOf("Topic", `${name}/${topic.name}`),
      actions: ACTIONS.Topic,
      service: name,
    })),
  ]);
}

/**
 * Makes the entities of a model.
 *
 * @param unlisted  Of callers that the model does not list; what it lists wins.
 * @throws MODEL_INVALID   two services of one name, or two things of one name in a service
 * @throws ENTITY_INVALID  a group is in itself
 */
export function modelEntities(
  model: AccessModel,
  unlisted: readonly EntityInput[] = [],
): EntityStore {
  const inputs = new Map<string, EntityInput>();
  const add = (input: EntityInput): void => {
    if (inputs.has(input.uid.key)) {
      throw new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", `${input.uid.key} is declared twice`);
    }
    inputs.set(input.uid.key, input);
  };
  for (const names of Object.values(ACTIONS)) {
    for (const name of names) {
      const group = ACTION_GROUPS[name];
      add({ uid: actionOf(name), parents: group === undefined ? [] : [actionOf(group)] });
    }
  }
  for (const service of model.services) for (const input of serviceEntities(service)) add(input);
  for (const [name, parents] of model.groups) {
    add({ uid: entityOf("Group", name), parents: parents.map((to) => entityOf("Group", to)) });
  }
  for (const { name, groups } of model.users) {
    add({ uid: entityOf("User", name), parents: groups.map((to) => entityOf("Group", to)) });
  }
  for (const { name, owner, posture, groups } of model.devices) {
    const attributes = new Map<string, CedarSet | EntityUid>([["posture", new CedarSet(posture)]]);
    if (owner !== undefined) attributes.set("owner", entityOf("User", owner));
    const parents = groups.map((to) => entityOf("Group", to));
    add({ uid: entityOf("Device", name), parents, attributes });
  }
  for (const workload of model.workloads) {
    for (const input of workloadEntities(model, workload)) inputs.set(input.uid.key, input);
  }
  for (const input of unlisted) {
    if (!inputs.has(input.uid.key)) inputs.set(input.uid.key, input);
  }
  return EntityStore.of(inputs.values());
}

/**
 * The entities that a caller's SPIFFE ID stands for: the workload, each prefix of whole segments, and the trust domain.
 * All of them are derived from the ID and none is stored. Computed once per connection.
 *
 * @throws AUTHZ_REQUEST_INVALID  not a SPIFFE ID
 */
export function workloadEntities(
  model: Pick<AccessModel, "trustDomain" | "idOwners">,
  { id, kind, attested }: WorkloadDeclaration,
): readonly EntityInput[] {
  const { trustDomain, prefixes } = readSpiffePath(id);
  const domain = entityOf("TrustDomain", trustDomain);
  const paths = prefixes.map((prefix) => entityOf("IdPath", prefix));
  const relation = trustDomain === model.trustDomain ? "own" : "federated";
  const owner = ownerOfId(model.idOwners, id);
  return [
    { uid: domain, parents: [], attributes: new Map([["relation", relation]]) },
    ...paths.map((uid, index) => ({ uid, parents: [paths[index + 1] ?? domain] })),
    {
      uid: entityOf("Workload", id),
      parents: [paths[0] ?? domain, ...(owner === undefined ? [] : [entityOf("Team", owner)])],
      attributes: new Map<string, string | CedarSet>([
        ["kind", kind],
        ["attested", new CedarSet(attested)],
      ]),
    },
  ];
}

/**
 * Whether a caller is of the model's own trust domain or of one that it is federated with. Others are permitted nothing,
 * whatever "anybody" a permit speaks of: its owner never meant them.
 */
export function isOfKnownDomain(
  caller: string,
  { trustDomain, federated }: Pick<AccessModel, "trustDomain" | "federated">,
): boolean {
  const own = /^spiffe:\/\/([^/]+)/.exec(caller)?.[1] ?? "";
  return own === trustDomain || federated.includes(own);
}

/** The team that owns an ID: that of the longest prefix of whole segments. */
export function ownerOfId(owners: ReadonlyMap<string, string>, id: string): string | undefined {
  for (const prefix of readSpiffePath(id).prefixes) {
    const owner = owners.get(prefix);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

function* serviceEntities(service: ServiceDeclaration): Iterable<EntityInput> {
  const { name, team, data, routes, tables, topics } = service;
  const uid = entityOf("Service", name);
  const parentsOf = (tags: readonly string[]): EntityUid[] => [
    uid,
    ...tags.map((tag) => entityOf("Tag", tag)),
  ];
  yield {
    uid,
    parents: [entityOf("Team", team)],
    attributes: new Map([["data", new CedarSet(data)]]),
  };
  for (const { path, tags, subject } of routes) {
    const attributes = new Map([["subject", subject]]);
    yield { uid: entityOf("Route", `${name}/${path}`), parents: parentsOf(tags), attributes };
  }
  yield {
    uid: entityOf("Route", `${name}/${UNDECLARED}`),
    parents: [uid],
    attributes: new Map([["subject", "optional"]]),
  };
  for (const table of tables) {
    yield { uid: entityOf("Table", `${name}/${table.name}`), parents: parentsOf(table.tags) };
  }
  for (const topic of topics) {
    yield { uid: entityOf("Topic", `${name}/${topic.name}`), parents: parentsOf(topic.tags) };
  }
}
