import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { compilePolicies } from "../core/engine/compile.ts";
import { decide } from "../core/engine/decide.ts";
import { EntityStore } from "../core/engine/entities.ts";
import { parseRecord } from "../core/engine/json.ts";
import { EntityUid } from "../core/engine/values.ts";
import { randomWorld, type RandomWorld } from "./random-cedar.ts";
import { Random } from "./random.ts";

/** What a run saw. */
export interface DifferentialReport {
  readonly requests: number;
  readonly allowed: number;
  /** Requests in which at least one policy erred. */
  readonly erring: number;
  /** Requests with at least one determining policy. */
  readonly determined: number;
  /** Texts that reproduce a difference; at most ten. */
  readonly differences: readonly string[];
}

/** Options of {@link compareWithCedar}. */
export interface DifferentialOptions {
  readonly seed: number;
  readonly requests: number;
  readonly requestsPerWorld: number;
}

/** Asks Cedar and this package the same random questions. */
export function compareWithCedar(options: DifferentialOptions): DifferentialReport {
  const { seed, requests, requestsPerWorld } = options;
  const report = { requests: 0, allowed: 0, erring: 0, determined: 0 };
  const differences: string[] = [];
  for (let world = 0; report.requests < requests && differences.length < 10; world++) {
    const random = new Random(seed + world);
    const made = randomWorld(random, requestsPerWorld);
    const policies = random.chance(15) ? throughText(made.policies) : made.policies;
    prepare(made);
    const compiled = compilePolicies(Object.entries(policies));
    for (const request of made.requests) {
      const wanted = askCedar(request);
      const answer = decide(compiled, EntityStore.parse(request.entities), {
        principal: new EntityUid(request.principal.type, request.principal.id),
        action: new EntityUid(request.action.type, request.action.id),
        resource: new EntityUid(request.resource.type, request.resource.id),
        context: parseRecord(request.context),
      });
      const given = {
        decision: answer.decision,
        determining: answer.determining,
        erring: answer.faults.map(({ policyId }) => policyId),
      };
      report.requests++;
      if (given.decision === "allow") report.allowed++;
      if (given.erring.length > 0) report.erring++;
      if (given.determining.length > 0) report.determined++;
      const [ours, theirs] = [JSON.stringify(given), JSON.stringify(wanted)];
      if (ours !== theirs) {
        differences.push(
          `seed ${seed + world}: ${ours} is not ${theirs}\n${JSON.stringify({ request, policies: made.policies })}`,
        );
        break;
      }
    }
  }
  return { ...report, differences };
}

/** The way of a policy that a person writes: its text, and what Cedar's parser makes of it. */
function throughText(policies: RandomWorld["policies"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(policies).map(([id, policy]) => {
      const text = cedar.policyToText(policy);
      if (text.type === "failure") throw new Error(JSON.stringify(text.errors));
      const json = cedar.policyToJson(text.text);
      if (json.type === "failure") throw new Error(JSON.stringify([text.text, json.errors]));
      return [id, json.json];
    }),
  );
}

function prepare({ policies }: RandomWorld): void {
  const answer = cedar.preparsePolicySet("differential", { staticPolicies: policies });
  if (answer.type === "failure") throw new Error(JSON.stringify([answer.errors, policies]));
}

function askCedar(request: RandomWorld["requests"][number]): {
  decision: string;
  determining: string[];
  erring: string[];
} {
  const { principal, action, resource, context, entities } = request;
  const answer = cedar.statefulIsAuthorized({
    principal,
    action,
    resource,
    context,
    entities,
    preparsedPolicySetId: "differential",
  });
  if (answer.type === "failure") throw new Error(JSON.stringify([answer.errors, request]));
  const { decision, diagnostics } = answer.response;
  return {
    decision,
    determining: diagnostics.reason.toSorted(),
    erring: diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
  };
}
