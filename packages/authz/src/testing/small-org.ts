/** Three teams in good order; each test breaks one thing. */
export function smallOrg(): Map<string, string> {
  return new Map([
    [
      "org.yaml",
      `trustDomain: example.org
federated: [partner.example]
owners: ["@sec"]
teams:
  payments: { owners: ["@pay"], ids: ["spiffe://example.org/ns/payments"] }
  shop: { owners: ["@shop"], ids: ["spiffe://example.org/ns/shop"] }
  cart: { owners: ["@cart"], parent: shop, ids: ["spiffe://example.org/ns/shop/cart"] }
approvers: { pci: "@sec", federated: "@sec" }
`,
    ],
    [
      "workloads.yaml",
      `workloads:
  spiffe://example.org/ns/payments/api: {}
  spiffe://example.org/ns/shop/checkout: {}
  spiffe://example.org/ns/shop/bot: { kind: ai-agent }
  spiffe://example.org/ns/shop/cart/web: {}
  spiffe://partner.example/caller: {}
`,
    ],
    ["people.yaml", "users: { alice: [support] }\ngroups: { support: [staff] }\n"],
    [
      "guardrails/base.cedar",
      `// Agents read only.
@id("agents-read")
@reason("An agent may not write")
forbid (principal is BF::Workload, action in BF::Action::"write", resource)
when { principal.kind == "ai-agent" };
`,
    ],
    ["teams/payments/team.yaml", "services: { payments: { data: [pci] } }\n"],
    [
      "teams/payments/routes/payments.yaml",
      `service: payments
routes:
  - { path: "/v1/refunds/{id}", methods: [GET, POST], tags: [pci] }
  - { grpc: pay.v1.Payments/Refund, subject: required }
tables: [{ name: entries }]
topics: [{ name: refunded }]
`,
    ],
    [
      "teams/payments/policies/refunds.yaml",
      `allow:
  - id: checkout-refunds
    reason: Checkout refunds what was cancelled.
    from: spiffe://example.org/ns/shop/checkout
    to: payments/v1/refunds/{id}
    approver: "@sec"
`,
    ],
    [
      "teams/payments/policies/support.cedar",
      `@id("support-reads")
@reason("Support looks refunds up")
@approver("@sec")
permit (
  principal in BF::Group::"support",
  action in BF::Action::"read",
  resource in BF::Service::"payments"
) when { context.tls };
`,
    ],
    ["teams/shop/team.yaml", "services: { catalogue: {} }\n"],
    [
      "teams/shop/policies/all.cedar",
      `@id("own-team")
@reason("We call ourselves")
permit (principal in BF::Team::"shop", action, resource in BF::Team::"shop");
`,
    ],
    ["teams/cart/team.yaml", "services: { cart: {} }\n"],
  ]);
}
