import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Recovery } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { NodeSync } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { DescService } from "@bufbuild/protobuf";
import type { AdminMethod } from "../core/administration.ts";

/** Who may call a method: anybody, a live agent, the private socket only, or an administrator who may do this. */
export type Rule = "anyone" | "agent" | "local" | AdminMethod;

const RULES = new Map<string, Rule>();

function allow<S extends DescService>(
  service: S,
  rules: Partial<Readonly<Record<keyof S["method"], Rule>>>,
): void {
  for (const method of service.methods) {
    const rule: unknown = Reflect.get(rules, method.localName);
    if (isRule(rule)) RULES.set(`/${service.typeName}/${method.name}`, rule);
  }
}

function isRule(value: unknown): value is Rule {
  return typeof value === "string";
}

allow(Agent, {
  attestAgent: "anyone",
  renewAgent: "agent",
  postStatus: "agent",
  createJoinToken: "write-token",
  countAgents: "read",
  listAgents: "read",
  getAgent: "read",
  deleteAgent: "write-node",
  banAgent: "write-node",
});
allow(Entry, {
  countEntries: "read",
  listEntries: "read",
  getEntry: "read",
  batchCreateEntry: "write-entry",
  batchUpdateEntry: "write-entry",
  batchDeleteEntry: "write-entry",
  getAuthorizedEntries: "agent",
  syncAuthorizedEntries: "agent",
});
allow(Bundle, { getBundle: "anyone" });
allow(SVID, {
  batchNewX509SVID: "agent",
  newJWTSVID: "agent",
  mintX509SVID: "mint",
  mintJWTSVID: "mint",
});
allow(Health, { check: "local", list: "local", watch: "local" });
allow(NodeSync, { watch: "agent" });
allow(Recovery, { recover: "anyone", fetchSignedBundle: "anyone" });
allow(Entries, { createEntry: "write-entry", getEntry: "read", listEntries: "read" });
allow(Ledger, {
  log: "local",
  verify: "local",
  export: "local",
  head: "local",
  acceptRewind: "local",
});

/** The rule of a method by its path; undefined: it is not served, to nobody. */
export function ruleOf(path: string): Rule | undefined {
  return RULES.get(path);
}
