import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import {
  buildBundle,
  createPolicyKey,
  type DecisionRecord,
  formatDecisionRecord,
  openPolicySigner,
} from "@bonafide/authz";
import { readAndCheck } from "./open-folder.ts";
import { replayDecision } from "./replay.ts";

const top = mkdtempSync("/tmp/bf-replay-");
after(() => rmSync(top, { recursive: true, force: true }));
const AT = Date.parse("2026-11-22T10:00:00Z");
const CHECKOUT = "spiffe://example.org/ns/shop/checkout";
const FILES = {
  "org.yaml": `trustDomain: example.org
federated: [partner.example]
owners: [a]
teams:
  payments: { owners: [p], ids: ["spiffe://example.org/ns/payments"] }
  shop: { owners: [s], ids: ["spiffe://example.org/ns/shop"] }
`,
  "workloads.yaml": `workloads: { ${CHECKOUT}: {} }\n`,
  "people.yaml": "users: { alice: [support] }\ngroups: { support: [] }\n",
  "teams/payments/team.yaml": "services: { payments: {} }\n",
  "teams/payments/routes/r.yaml": `service: payments
routes: [{ path: "/v1/refunds/{id}", methods: [POST] }]
`,
  "teams/payments/policies/p.yaml": `allow:
  - { id: refunds, reason: y, from: "${CHECKOUT}", to: "payments/v1/refunds/{id}" }
`,
};

function put(name: string, content: string | Uint8Array): string {
  const path = join(top, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A bundle of the folder in a file, and its digest. */
async function bundleOf(serial: number): Promise<{ file: string; digest: string }> {
  const read = await readAndCheck(join(top, "folder"));
  const bundle = await buildBundle(read, { serial, issued: AT - 1000, expires: AT + 1000 });
  const signer = await openPolicySigner(key.privatePem);
  return { file: put(`${serial}.bundle`, await bundle.sign(signer)), digest: bundle.digest };
}

let key: Awaited<ReturnType<typeof createPolicyKey>>;
let trust: string;
let seventh: Awaited<ReturnType<typeof bundleOf>>;
let record: DecisionRecord;
before(async () => {
  for (const [name, text] of Object.entries(FILES)) put(`folder/${name}`, text);
  key = await createPolicyKey("Ed25519");
  trust = put("policy.pub", key.publicPem);
  seventh = await bundleOf(7);
  record = {
    id: "d1",
    at: AT,
    service: "payments",
    caller: CHECKOUT,
    action: "http.POST",
    resource: { type: "Route", id: "payments/v1/refunds/{id}" },
    tls: true,
    onBehalfOf: { user: "alice", chain: [CHECKOUT], scopes: [] },
    allowed: false,
    reason: "no_permit",
    bundle: { serial: 7, digest: seventh.digest },
    edges: [
      {
        principal: { workload: CHECKOUT },
        allowed: true,
        policies: ["payments/refunds"],
        faults: [],
      },
      { principal: { user: "alice" }, allowed: false, policies: [], faults: [] },
    ],
  };
});

const replay = (
  records: readonly DecisionRecord[],
  more: { readonly id?: string; readonly bundle?: string } = {},
): ReturnType<typeof replayDecision> =>
  replayDecision({
    record: put("records.jsonl", records.map((one) => `${formatDecisionRecord(one)}\n`).join("")),
    id: undefined,
    bundle: seventh.file,
    trust,
    threshold: undefined,
    ...more,
  });

test("a recorded decision is made again, each principal by itself, long after its bundle expired", async () => {
  const { text, allowed, isSame } = await replay([record]);
  assert.equal(allowed, false);
  assert.equal(isSame, true);
  assert.equal(
    text,
    `decision d1 of 2026-11-22T10:00:00Z, bundle 7: denied: no_permit
allowed: ${CHECKOUT} may http.POST payments/v1/refunds/{id}
  permit payments/refunds: holds
denied: user:alice may not http.POST payments/v1/refunds/{id}
  nothing permits it
  permit payments/refunds: is about other callers
the same answer as recorded`,
  );
});

test("callers of other trust domains, and a bundle that had ended, are replayed too", async () => {
  const caller = "spiffe://partner.example/caller";
  const { onBehalfOf: _, edges: __, ...plain } = record;
  const edge = { principal: { workload: caller }, allowed: false, policies: [], faults: [] };
  const stranger = { ...plain, caller, edges: [edge] };
  assert.equal((await replay([stranger])).isSame, true);
  // One whose domain the model does not know never comes to policies.
  const unknown = { ...stranger, caller: "spiffe://unknown.example/a" };
  assert.equal((await replay([unknown])).isSame, false);
  assert.equal((await replay([{ ...unknown, edges: [] }])).isSame, true);
  const late = { ...plain, at: AT + 1000, reason: "bundle_expired", edges: [] } as const;
  const { isSame, text } = await replay([late]);
  assert.equal(isSame, true);
  assert.match(text, /the bundle had ended at 2026-11-22T10:00:01Z/);
  assert.equal((await replay([{ ...late, at: AT }])).isSame, false);
  assert.equal((await replay([{ ...stranger, at: AT + 1000 }])).isSame, false);
});

test("a refusal before policies is replayed by what the route wants", async () => {
  const { onBehalfOf: _, edges: __, ...plain } = record;
  const { resource: ___, ...unclear } = plain;
  for (const [one, isSame] of [
    [{ ...plain, reason: "subject_required", edges: [] }, false],
    [{ ...plain, reason: "token_invalid", edges: [] }, true],
    [{ ...unclear, reason: "path_ambiguous", edges: [] }, true],
    [{ ...unclear, reason: "no_permit", edges: [] }, false],
    [{ ...plain, reason: "permitted", allowed: true, edges: [] }, false],
    [{ ...plain, caller: `spiffe://example.org${"/b".repeat(70)}`, edges: [] }, true],
  ] as const) {
    assert.equal((await replay([one])).isSame, isSame, JSON.stringify(one));
  }
});

test("an answer that was another one is told", async () => {
  const [first, second] = record.edges;
  assert.ok(first && second);
  const forged = { ...record, edges: [first, { ...second, allowed: true }] };
  const { isSame, text } = await replay([forged]);
  assert.equal(isSame, false);
  assert.match(text, /another answer than was recorded$/);
});

test("one of several records is chosen by its id", async () => {
  const records = [{ ...record, id: "d0", allowed: true }, record];
  assert.equal((await replay(records, { id: "d0" })).allowed, true);
  assert.equal((await replay(records, { id: "d0" })).isSame, false);
  await assert.rejects(replay(records), { code: "USAGE" });
  await assert.rejects(replay(records, { id: "d2" }), { code: "USAGE" });
});

test("where there was no bundle there is nothing to replay, and one answer", async () => {
  const { bundle: _, ...without } = record;
  const none = { ...without, reason: "no_bundle", edges: [] } as const;
  assert.deepEqual([(await replay([none])).isSame, (await replay([none])).allowed], [true, false]);
  assert.equal((await replay([{ ...none, allowed: true }])).isSame, false);
});

test("another bundle, and one that nobody trusted signed replay nothing", async () => {
  const eighth = await bundleOf(8);
  await assert.rejects(replay([record], { bundle: eighth.file }), { code: "AUTHZ_BUNDLE_DIFFERS" });
  put("policy.pub", (await createPolicyKey("Ed25519")).publicPem);
  await assert.rejects(replay([record]), { code: "BUNDLE_UNTRUSTED" });
});
