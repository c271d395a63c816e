import { isJsonObject } from "../engine/json.ts";
import { Fields } from "../folder/fields.ts";
import type { Folder, SourcedPolicy } from "../folder/folder.ts";
import { isActionName } from "../model/entity-names.ts";
import type {
  AccessModel,
  DeviceDeclaration,
  RouteDeclaration,
  ServiceDeclaration,
  ThingDeclaration,
  WorkloadDeclaration,
} from "../model/model.ts";
import { canonicalJson, parseCanonicalJson } from "./canonical-json.ts";
import { placePolicies } from "./place-policies.ts";
import { refuse } from "./refuse.ts";

/** Policies of Cedar's JSON policy form, by id. */
export interface SlicePolicies {
  readonly enforced: ReadonlyMap<string, unknown>;
  readonly shadow: ReadonlyMap<string, unknown>;
}

/** Who can call. The same for all services. */
export type PrincipalsSlice = Omit<AccessModel, "services">;

/** One service, and the policies that can apply to it. */
export interface ServiceSlice extends SlicePolicies {
  readonly service: ServiceDeclaration;
}

/** The name of the slice of a service. */
export function serviceSliceName(service: string): string {
  return `service/${service}`;
}

/** Cuts a folder that has no findings into slices, as bytes by name; equal folders give equal bytes. */
export function sliceFolder(folder: Folder): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const { byService } = placePolicies(folder);
  const { services, ...principals } = folder.model;
  const guardrails = folder.policies.filter(({ team }) => team === undefined);
  const slices = new Map<string, unknown>([
    ["principals", principalsJson(principals)],
    ["guardrails", policiesJson(guardrails)],
  ]);
  for (const service of services) {
    const policies = policiesJson(byService.get(service.name) ?? []);
    slices.set(serviceSliceName(service.name), { service: serviceJson(service), ...policies });
  }
  const encoder = new TextEncoder();
  return new Map([...slices].map(([name, json]) => [name, encoder.encode(canonicalJson(json))]));
}

function policiesJson(policies: Iterable<SourcedPolicy>): object {
  const of = (wanted: boolean): object =>
    Object.fromEntries(
      [...policies].filter(({ shadow }) => shadow === wanted).map(({ id, json }) => [id, json]),
    );
  return { enforced: of(false), shadow: of(true) };
}

function principalsJson(principals: PrincipalsSlice): object {
  const { trustDomain, federated, idOwners, workloads, users, groups, devices } = principals;
  return {
    trustDomain,
    federated: federated.toSorted(),
    idOwners: Object.fromEntries(idOwners),
    workloads: Object.fromEntries(
      workloads.map(({ id, kind, attested }) => [id, { kind, attested: attested.toSorted() }]),
    ),
    users: Object.fromEntries(users.map(({ name, groups: of }) => [name, of.toSorted()])),
    groups: Object.fromEntries([...groups].map(([name, of]) => [name, of.toSorted()])),
    devices: Object.fromEntries(
      devices.map(({ name, owner, posture, groups: of }) => [
        name,
        {
          ...(owner === undefined ? {} : { owner }),
          posture: posture.toSorted(),
          groups: of.toSorted(),
        },
      ]),
    ),
  };
}

function serviceJson(service: ServiceDeclaration): object {
  const { name, team, data, servedBy, routes, tables, topics } = service;
  return {
    name,
    team,
    data: data.toSorted(),
    servedBy: servedBy.toSorted(),
    routes: Object.fromEntries(
      routes.map(({ path, actions, tags, subject }) => [
        path,
        { actions: actions.toSorted(), tags: tags.toSorted(), subject },
      ]),
    ),
    tables: thingsJson(tables),
    topics: thingsJson(topics),
  };
}

function thingsJson(declared: readonly ThingDeclaration[]): object {
  return Object.fromEntries(declared.map(({ name, tags }) => [name, tags.toSorted()]));
}

/** Reads the slice of principals. @throws BUNDLE_MALFORMED */
export function parsePrincipals(bytes: Uint8Array): PrincipalsSlice {
  const fields = fieldsOf(parseCanonicalJson(bytes));
  const listed = (name: string): [string, readonly string[]][] =>
    fields.parts(name).map(([key, of]) => [key, fieldsOf({ of }).texts("of")]);
  const principals = {
    trustDomain: fields.text("trustDomain"),
    federated: fields.texts("federated"),
    idOwners: new Map(
      fields.parts("idOwners").map(([id, team]) => [id, fieldsOf({ team }).text("team")]),
    ),
    workloads: fields.parts("workloads").map(readWorkload),
    users: listed("users").map(([name, groups]) => ({ name, groups })),
    groups: new Map(listed("groups")),
    devices: fields.parts("devices").map(readDevice),
  };
  fields.end();
  return principals;
}

/** Reads the slice of guardrails. @throws BUNDLE_MALFORMED */
export function parseGuardrails(bytes: Uint8Array): SlicePolicies {
  const fields = fieldsOf(parseCanonicalJson(bytes));
  const policies = readPolicies(fields);
  fields.end();
  return policies;
}

/** Reads the slice of a service. @throws BUNDLE_MALFORMED */
export function parseService(bytes: Uint8Array): ServiceSlice {
  const fields = fieldsOf(parseCanonicalJson(bytes));
  const inner = fields.inner("service") ?? malformed("a slice has no service");
  const things = (name: string): ThingDeclaration[] =>
    inner.parts(name).map(([thing, tags]) => ({ name: thing, tags: textsOf(tags) }));
  const service = {
    name: inner.text("name"),
    team: inner.text("team"),
    data: inner.texts("data"),
    servedBy: inner.texts("servedBy"),
    routes: inner.parts("routes").map(readRoute),
    tables: things("tables"),
    topics: things("topics"),
  };
  inner.end();
  const policies = readPolicies(fields);
  fields.end();
  return { service, ...policies };
}

function readPolicies(fields: Fields): SlicePolicies {
  return {
    enforced: new Map(fields.parts("enforced")),
    shadow: new Map(fields.parts("shadow")),
  };
}

const KINDS = ["service", "job", "ai-agent", "node"] as const;
const SUBJECTS = ["none", "optional", "required"] as const;

function readWorkload([id, json]: readonly [string, unknown]): WorkloadDeclaration {
  const fields = fieldsOf(json);
  const [name, attested] = [fields.text("kind"), fields.texts("attested")];
  fields.end();
  const kind = KINDS.find((known) => known === name) ?? malformed("a workload is of no kind");
  return { id, kind, attested };
}

function readDevice([name, json]: readonly [string, unknown]): DeviceDeclaration {
  const fields = fieldsOf(json);
  const device = {
    name,
    owner: fields.optionalText("owner"),
    posture: fields.texts("posture"),
    groups: fields.texts("groups"),
  };
  fields.end();
  return device;
}

function readRoute([path, json]: readonly [string, unknown]): RouteDeclaration {
  const fields = fieldsOf(json);
  const [names, tags, rule] = [
    fields.texts("actions"),
    fields.texts("tags"),
    fields.text("subject"),
  ];
  fields.end();
  const actions = names.filter(isActionName);
  if (actions.length !== names.length) malformed("a route has an unknown action");
  const subject = SUBJECTS.find((known) => known === rule) ?? malformed("a route has no subject");
  return { path, actions, tags, subject };
}

function textsOf(json: unknown): readonly string[] {
  return fieldsOf({ json }).texts("json");
}

function fieldsOf(json: unknown): Fields {
  if (!isJsonObject(json)) malformed("an object is wanted");
  return new Fields(json, malformed);
}

function malformed(reason: string): never {
  throw refuse("BUNDLE_MALFORMED", `a slice cannot be used: ${reason}`);
}
