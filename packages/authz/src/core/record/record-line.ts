import { BonafideError, isBonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { RECORD_CHARACTERS_MAX, RECORD_ITEMS_MAX } from "../../limits.ts";
import type { AuthzRequest, PolicyFault } from "../engine/decide.ts";
import { FAULTS } from "../engine/fault.ts";
import { Fields } from "../folder/fields.ts";
import { entityOf, isActionName } from "../model/entity-names.ts";
import { buildRequest, type OnBehalfOf } from "../model/request.ts";
import {
  type BundleRef,
  DECISION_REASONS,
  type DecisionReason,
  type DecisionRecord,
  type RecordedEdge,
  type ShadowAnswer,
} from "./decision-record.ts";

const VERSION = 1;
const RESOURCE_TYPES = ["Route", "Table", "Topic", "Service"] as const;

/** A record as one line of JSON, without a line end. */
export function formatDecisionRecord(record: DecisionRecord): string {
  return JSON.stringify({ v: VERSION, ...record });
}

/**
 * Reads one line of a log of decisions. Fields that this version does not know are refused: what was decided must not be
 * replayed by half.
 *
 * @throws RECORD_MALFORMED
 */
export function parseDecisionRecord(line: string): DecisionRecord {
  if (line.length > RECORD_CHARACTERS_MAX) throw malformed("the line is too long");
  try {
    return readRecord(new Fields(JSON.parse(line), (reason) => raise(reason)));
  } catch (error) {
    if (isBonafideError(error, "RECORD_MALFORMED")) throw error;
    throw malformed("the line is no JSON", error);
  }
}

/**
 * The requests that a record is about, one for each principal, as they were decided.
 *
 * @returns none if the question never came to policies
 * @throws AUTHZ_REQUEST_INVALID  a field of the record names nothing that a request can name
 */
export function requestsOfRecord(record: DecisionRecord): readonly AuthzRequest[] {
  const { action, resource, edges, at, tls, sourceIp, onBehalfOf } = record;
  if (action === undefined || resource === undefined) return [];
  const facts = {
    now: at,
    tls,
    ...(sourceIp === undefined ? {} : { sourceIp }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  };
  const entity = entityOf(resource.type, resource.id);
  return edges.map(({ principal }) => buildRequest(principal, action, entity, facts));
}

function readRecord(fields: Fields): DecisionRecord {
  if (fields.count("v") !== VERSION) raise("the record is of another version");
  const action = fields.optionalText("action");
  if (action !== undefined && !isActionName(action)) raise("the action is none of the model");
  const resource = fields.inner("resource");
  const asked = fields.optionalText("asked");
  const sourceIp = fields.optionalText("sourceIp");
  const onBehalfOf = fields.inner("onBehalfOf");
  const bundle = fields.inner("bundle");
  const [shadow, candidate] = [fields.inner("shadow"), fields.inner("candidate")];
  const record = {
    id: fields.text("id"),
    at: fields.count("at"),
    service: fields.text("service"),
    caller: fields.text("caller"),
    ...(action !== undefined && isActionName(action) && { action }),
    ...(resource && { resource: readResource(resource) }),
    ...(asked !== undefined && { asked }),
    tls: fields.flag("tls"),
    ...(sourceIp !== undefined && { sourceIp }),
    ...(onBehalfOf && { onBehalfOf: readOnBehalfOf(onBehalfOf) }),
    allowed: fields.flag("allowed"),
    reason: readReason(fields),
    ...(fields.has("observed") && { observed: fields.flag("observed") }),
    ...(bundle && { bundle: readBundle(bundle) }),
    edges: bounded(fields.list("edges")).map((json) => readEdge(new Fields(json, raise))),
    ...(shadow && { shadow: readShadow(shadow) }),
    ...(candidate && { candidate: readShadow(candidate) }),
  };
  fields.end();
  return record;
}

function readResource(fields: Fields): NonNullable<DecisionRecord["resource"]> {
  const [name, id] = [fields.text("type"), fields.text("id")];
  fields.end();
  const type = RESOURCE_TYPES.find((known) => known === name);
  return { type: type ?? raise("the resource is of no known type"), id };
}

function readOnBehalfOf(fields: Fields): OnBehalfOf {
  const user = fields.optionalText("user");
  const onBehalfOf = {
    ...(user !== undefined && { user }),
    chain: bounded(fields.texts("chain")),
    scopes: bounded(fields.texts("scopes")),
    ...(fields.has("approvedAgoMs") && { approvedAgoMs: fields.count("approvedAgoMs") }),
  };
  fields.end();
  return onBehalfOf;
}

function readBundle(fields: Fields): BundleRef {
  const bundle = { serial: fields.count("serial"), digest: fields.text("digest") };
  fields.end();
  return bundle;
}

function readEdge(fields: Fields): RecordedEdge {
  const who = fields.inner("principal") ?? raise("an edge has no principal");
  const [workload, user] = [who.optionalText("workload"), who.optionalText("user")];
  who.end();
  const edge = {
    principal:
      user === undefined ? { workload: workload ?? raise("a principal is nobody") } : { user },
    allowed: fields.flag("allowed"),
    policies: bounded(fields.texts("policies")),
    faults: bounded(fields.list("faults")).map((json) => readFault(new Fields(json, raise))),
  };
  fields.end();
  return edge;
}

function readFault(fields: Fields): PolicyFault {
  const [policyId, effect, kind] = [
    fields.text("policyId"),
    fields.text("effect"),
    fields.text("fault"),
  ];
  fields.end();
  if (effect !== "permit" && effect !== "forbid") return raise("a fault has no effect");
  const fault = Object.values(FAULTS).find((known) => known.kind === kind);
  return { policyId, effect, fault: fault?.kind ?? raise("a fault is of no known kind") };
}

function readShadow(fields: Fields): ShadowAnswer {
  const bundle = fields.inner("bundle");
  const answer = {
    allowed: fields.flag("allowed"),
    reason: readReason(fields),
    policies: bounded(fields.texts("policies")),
    ...(bundle && { bundle: readBundle(bundle) }),
  };
  fields.end();
  return answer;
}

function readReason(fields: Fields): DecisionReason {
  const name = fields.text("reason");
  return DECISION_REASONS.find((known) => known === name) ?? raise("the reason is none we know");
}

function bounded<T>(items: readonly T[]): readonly T[] {
  return items.length > RECORD_ITEMS_MAX ? raise("a list is too long") : items;
}

function raise(reason: string): never {
  throw malformed(reason);
}

function malformed(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "RECORD_MALFORMED", `no decision record: ${reason}`, {
    cause,
  });
}
