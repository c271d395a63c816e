import {
  AccessGraph,
  ACTIONS,
  type AuthzRequest,
  type CompiledPolicies,
  compilePolicies,
  decide,
  diffAccess,
  EMPTY_RECORD,
  type EntityInput,
  EntityStore,
  EntityUid,
} from "@bonafide/authz";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

/** Deciding by 1,000 and 10,000 policies, against Cedar's fastest path; and compiling 10,000. All in CPU time. */
export const benches: readonly Bench[] = [
  decideBench("authz-decide/1000", 1000, { of: "value", atMost: 5 }),
  decideBench("authz-decide/10000", 10_000, { of: "value", atMost: 5 }),
  decideBench("authz-decide/ratio", 1000, { of: "ratio", atMost: 1 / 20 }),
  {
    name: "authz-compile",
    unit: "ms",
    target: { of: "value", atMost: 1000 },
    run: measureCompile,
  },
  { name: "authz-diff", unit: "ms", target: { of: "value", atMost: 50 }, run: measureDiff },
];

const KIND: cedar.Expr = { ".": { left: { Var: "principal" }, attr: "kind" } };
const GUARDRAIL: PolicyJson = {
  effect: "forbid",
  principal: { op: "All" },
  action: { op: "All" },
  resource: { op: "All" },
  conditions: [{ kind: "when", body: { "==": { left: KIND, right: { Value: "quarantined" } } } }],
};
const ROUTES_PER_SERVICE = 10;
const BATCHES = 9;

interface Made {
  readonly policies: ReadonlyMap<string, PolicyJson>;
  readonly inputs: readonly EntityInput[];
  readonly requests: readonly AuthzRequest[];
}

type Uid = { readonly type: string; readonly id: string };
interface PolicyJson {
  readonly effect: "permit" | "forbid";
  readonly principal: cedar.PrincipalConstraint;
  readonly action: cedar.ActionConstraint;
  readonly resource: cedar.ResourceConstraint;
  readonly conditions: cedar.Clause[];
}

const made = new Map<number, Made>();

function decideBench(name: string, size: number, target: Bench["target"]): Bench {
  return { name, unit: "us", target, run: (options) => measureDecide(size, options) };
}

/** The value is our decision over all policies; the yardstick is Cedar's over one service's, prepared before. */
async function measureDecide(size: number, { windowMs }: WindowOptions): Promise<Sample> {
  const { policies, inputs, requests } = madeOf(size);
  const compiled = compilePolicies(policies);
  const entities = EntityStore.of(inputs);
  const ours = medianCpuUs(windowMs / 2, requests, (request) =>
    decide(compiled, entities, request),
  );
  return sampleOf(ours, measureCedar(windowMs / 2, policies, inputs, requests));
}

async function measureCompile(): Promise<Sample> {
  const { policies } = madeOf(10_000);
  let compiled: CompiledPolicies | undefined;
  const us = medianCpuUs(0, [0], () => (compiled = compilePolicies(policies)));
  if (compiled?.size !== 10_000) throw new Error("not all policies were compiled");
  return sampleOf(us / 1000, null);
}

/** Two services of 1,000 get another caller; both states are compiled, as a running server has them. */
async function measureDiff(): Promise<Sample> {
  const { policies, inputs } = madeOf(10_000);
  const entities = EntityStore.of(inputs);
  const principals = inputs.flatMap(({ uid }) => (uid.type === "BF::Workload" ? [uid] : []));
  const reachables = inputs.flatMap(({ uid }) =>
    uid.type === "BF::Route"
      ? [{ resource: uid, actions: ACTIONS.Route, service: serviceOf(uid.id) }]
      : [],
  );
  const changed = new Map(policies);
  for (const [id, policy] of policies) {
    if (!/^s[34]\//.test(id)) continue;
    const entity = { type: "BF::IdPath", id: "spiffe://example.org/ns/n99" };
    changed.set(id, { ...policy, principal: { op: "in", entity } });
  }
  const before = new AccessGraph({ policies, entities, principals });
  const after = new AccessGraph({ policies: changed, entities, principals });
  const us = medianCpuUs(0, [0], () => {
    // 20 routes each lose one caller and gain another.
    if (diffAccess({ before, after, reachables }).length !== 40) throw new Error("a wrong diff");
  });
  return sampleOf(us / 1000, null);
}

function measureCedar(
  durationMs: number,
  policies: Made["policies"],
  inputs: Made["inputs"],
  requests: Made["requests"],
): number {
  const slices = new Map<string, Record<string, PolicyJson>>();
  for (const [id, policy] of policies) {
    if (policy === GUARDRAIL) continue;
    const slice = slices.get(serviceOf(id)) ?? { guardrail: GUARDRAIL };
    slice[id] = policy;
    slices.set(serviceOf(id), slice);
  }
  // A few services are enough: each request finds its slice by name.
  const chosen = requests.filter(({ resource }) => Number(serviceOf(resource.id).slice(1)) < 20);
  for (const name of new Set(chosen.map(({ resource }) => serviceOf(resource.id)))) {
    cedar.preparsePolicySet(name, { staticPolicies: slices.get(name) ?? {} });
  }
  const byKey = new Map(inputs.map((input) => [input.uid.key, input]));
  const entityJson = (uid: EntityUid): cedar.EntityJson => {
    const parents = byKey.get(uid.key)?.parents ?? [];
    const attrs = uid.type === "BF::Workload" ? { kind: "service" } : {};
    return { uid: plain(uid), attrs, parents: parents.map(plain) };
  };
  const calls = chosen.map(({ principal, action, resource }) => ({
    principal: plain(principal),
    action: plain(action),
    resource: plain(resource),
    context: {},
    entities: [entityJson(principal), entityJson(resource)],
    preparsedPolicySetId: serviceOf(resource.id),
  }));
  return medianCpuUs(durationMs, calls, (call) => {
    if (cedar.statefulIsAuthorized(call).type === "failure") throw new Error("Cedar refused");
  });
}

/** The median over batches of the CPU time of one call, each batch going through `items` at least once. */
function medianCpuUs<T>(
  durationMs: number,
  items: readonly T[],
  call: (item: T) => unknown,
): number {
  const times: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const end = performance.now() + durationMs / BATCHES;
    const begun = process.cpuUsage();
    let calls = 0;
    do {
      for (const item of items) call(item);
      calls += items.length;
    } while (performance.now() < end);
    const { user, system } = process.cpuUsage(begun);
    times.push((user + system) / calls);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(BATCHES / 2)] ?? 0;
}

/** One permit per caller, method and route, and ten routes a service; half of the requests are permitted. */
function madeOf(size: number): Made {
  const known = made.get(size);
  if (known !== undefined) return known;
  const policies = new Map<string, PolicyJson>([["guardrail", GUARDRAIL]]);
  const inputs: EntityInput[] = [];
  const requests: AuthzRequest[] = [];
  const action = new EntityUid("BF::Action", "http.GET");
  inputs.push({ uid: action, parents: [new EntityUid("BF::Action", "read")] });
  for (let index = 0; index < size - 1; index++) {
    const service = `s${Math.floor(index / ROUTES_PER_SERVICE)}`;
    const route = new EntityUid("BF::Route", `${service}/v1/things${index}/{id}`);
    const prefix = new EntityUid("BF::IdPath", `spiffe://example.org/ns/n${index % 100}`);
    policies.set(`${service}/p${index}`, {
      effect: "permit",
      principal: { op: "in", entity: plain(prefix) },
      action: { op: "==", entity: plain(action) },
      resource: { op: "==", entity: plain(route) },
      conditions: [{ kind: "when", body: { "==": { left: KIND, right: { Value: "service" } } } }],
    });
    inputs.push({ uid: route, parents: [new EntityUid("BF::Service", service)] });
    for (const caller of [index % 100, (index + 1) % 100]) {
      const id = `spiffe://example.org/ns/n${caller}/app`;
      const principal = new EntityUid("BF::Workload", id);
      if (requests.length < 2000)
        requests.push({ principal, action, resource: route, context: EMPTY_RECORD });
    }
  }
  for (let caller = 0; caller < 100; caller++) {
    const id = `spiffe://example.org/ns/n${caller}`;
    const domain = new EntityUid("BF::TrustDomain", "example.org");
    const path = new EntityUid("BF::IdPath", id);
    const top = new EntityUid("BF::IdPath", "spiffe://example.org/ns");
    const attributes = new Map([["kind", "service"]]);
    const uid = new EntityUid("BF::Workload", `${id}/app`);
    inputs.push({ uid, parents: [path, top, domain], attributes });
  }
  const result = { policies, inputs, requests };
  made.set(size, result);
  return result;
}

function plain({ type, id }: EntityUid): Uid & { type: string; id: string } {
  return { type, id };
}

function serviceOf(id: string): string {
  return id.split("/")[0] ?? "";
}
