import { readFolder, type VerifiedBundle } from "@bonafide/authz";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { parse } from "yaml";
import { signedBundle, type SignedBundleOptions } from "./signed-bundle.ts";

/** A shop that calls payments, with everything that enforcement can stumble over. */
export function paymentsOrg(): Map<string, string> {
  return new Map([
    [
      "org.yaml",
      `trustDomain: example.org
owners: ["@sec"]
teams:
  payments: { owners: ["@pay"], ids: ["spiffe://example.org/ns/payments"] }
  shop: { owners: ["@shop"], ids: ["spiffe://example.org/ns/shop"] }
`,
    ],
    [
      "workloads.yaml",
      `workloads:
  spiffe://example.org/ns/shop/checkout: {}
  spiffe://example.org/ns/shop/admin: {}
  spiffe://example.org/ns/shop/bot: { kind: ai-agent }
`,
    ],
    ["people.yaml", "users: { alice: [support], bob: [] }\ngroups: { support: [] }\n"],
    [
      "guardrails/base.cedar",
      `@id("no-secrets")
@reason("Secrets are for nobody")
forbid (principal, action, resource in BF::Tag::"secret");
`,
    ],
    ["teams/payments/team.yaml", "services: { payments: {} }\n"],
    [
      "teams/payments/routes/payments.yaml",
      `service: payments
routes:
  - { path: "/v1/refunds/{id}", methods: [GET, POST] }
  - { path: "/v1/Keys", methods: [GET], tags: [secret] }
  - { path: "/v1/{any}", methods: [GET] }
  - { path: "/v1/me/cards", methods: [GET] }
  - { path: "/v1/{user}/cards", methods: [POST], tags: [secret] }
  - { path: "/v1/payouts", methods: [POST], subject: required }
  - { path: "/v1/internal", methods: [GET], subject: none }
  - { path: "/v1/kinds", methods: [GET, HEAD] }
  - { grpc: test.Greeter/SayHello }
  - { grpc: test.Greeter/SayMore, subject: required }
tables: [{ name: entries }]
`,
    ],
    [
      "teams/payments/policies/shop.yaml",
      `allow:
  - { id: refunds, reason: r, from: spiffe://example.org/ns/shop/*, to: "payments/v1/refunds/{id}" }
  - { id: payouts, reason: r, from: spiffe://example.org/ns/shop/*, to: payments/v1/payouts }
  - { id: internal, reason: r, from: spiffe://example.org/ns/shop/*, to: payments/v1/internal }
  - { id: hello, reason: r, from: spiffe://example.org/ns/shop/checkout, to: payments/test.Greeter/SayHello }
  - { id: more, reason: r, from: spiffe://example.org/ns/shop/checkout, to: payments/test.Greeter/SayMore }
  - { id: people, reason: r, from: "group:support", to: payments }
  - { id: admin, reason: r, from: spiffe://example.org/ns/shop/admin, to: payments }
  - { id: entries, reason: r, from: spiffe://example.org/ns/shop/checkout, to: "table:payments/entries", actions: [read] }
  - { id: kinds, reason: r, from: spiffe://example.org/ns/*, to: payments/v1/kinds }
`,
    ],
    [
      "teams/payments/policies/kinds.cedar",
      `@id("no-agents")
@reason("For services only")
forbid (principal is BF::Workload, action, resource == BF::Route::"payments/v1/kinds")
when { principal.kind == "ai-agent" };
`,
    ],
  ]);
}

/** A verified bundle of {@link paymentsOrg}, or of what a test makes of it. */
export function paymentsBundle(
  options: SignedBundleOptions & { readonly files?: ReadonlyMap<string, string> } = {},
): Promise<VerifiedBundle> {
  const { files = paymentsOrg(), ...rest } = options;
  return signedBundle(readFolder(files, parsers), rest);
}

const parsers = {
  cedar: (text: string): unknown => {
    const answer = cedar.policyToJson(text);
    if (answer.type === "failure") throw new Error(answer.errors[0]?.message);
    return answer.json;
  },
  yaml: (text: string): unknown => parse(text),
};
