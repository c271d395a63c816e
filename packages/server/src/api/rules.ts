import { Authorities } from "@bonafide/proto/bonafide/admin/v1/authorities_pb";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Status } from "@bonafide/proto/bonafide/admin/v1/status_pb";
import { Recovery } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { NodeSync } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import { ServerReflection as ServerReflectionAlpha } from "@bonafide/proto/grpc/reflection/v1alpha/reflection_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Debug } from "@bonafide/proto/spire/api/server/debug/v1/debug_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import type { DescService } from "@bufbuild/protobuf";
import type { AdminMethod } from "../core/administration.ts";

/**
 * Who may call a method: anybody; a live agent; a member whose entry has the downstream flag; the private socket only;
 * a live agent or whoever may read; or an administrator who may do this.
 */
export type Rule = "anyone" | "agent" | "downstream" | "local" | "agent-or-read" | AdminMethod;

const RULES = new Map<string, Rule>();

/** Every method of the service: one that is left out is a mistake of types. */
function allow<S extends DescService>(
  service: S,
  rules: Readonly<Record<keyof S["method"], Rule>>,
): void {
  for (const method of service.methods) {
    const rule: unknown = Reflect.get(rules, method.localName);
    if (isRule(rule)) RULES.set(pathOf(service, method.name), rule);
  }
}

function pathOf(service: DescService, method: string): string {
  return `/${service.typeName}/${method}`;
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
allow(Bundle, {
  getBundle: "anyone",
  countBundles: "read",
  appendBundle: "write-bundle",
  publishJWTAuthority: "downstream",
  publishWITAuthority: "downstream",
  listFederatedBundles: "read",
  getFederatedBundle: "agent-or-read",
  batchCreateFederatedBundle: "write-bundle",
  batchUpdateFederatedBundle: "write-bundle",
  batchSetFederatedBundle: "write-bundle",
  batchDeleteFederatedBundle: "write-bundle",
});
allow(SVID, {
  batchNewX509SVID: "agent",
  newJWTSVID: "agent",
  batchNewWITSVID: "agent",
  mintX509SVID: "mint",
  mintJWTSVID: "mint",
  mintWITSVID: "mint",
  newDownstreamX509CA: "downstream",
});
allow(TrustDomain, {
  listFederationRelationships: "read",
  getFederationRelationship: "read",
  batchCreateFederationRelationship: "write-bundle",
  batchUpdateFederationRelationship: "write-bundle",
  batchDeleteFederationRelationship: "write-bundle",
  refreshBundle: "write-bundle",
});
allow(LocalAuthority, {
  getJWTAuthorityState: "read",
  prepareJWTAuthority: "write-authority",
  activateJWTAuthority: "write-authority",
  taintJWTAuthority: "write-authority",
  revokeJWTAuthority: "write-authority",
  getX509AuthorityState: "read",
  prepareX509Authority: "write-authority",
  activateX509Authority: "write-authority",
  taintX509Authority: "write-authority",
  taintX509UpstreamAuthority: "write-authority",
  revokeX509Authority: "write-authority",
  revokeX509UpstreamAuthority: "write-authority",
  getWITAuthorityState: "read",
  prepareWITAuthority: "write-authority",
  activateWITAuthority: "write-authority",
  taintWITAuthority: "write-authority",
  revokeWITAuthority: "write-authority",
});
allow(Logger, { getLogger: "local", setLogLevel: "local", resetLogLevel: "local" });
allow(Debug, { getInfo: "local" });
allow(ServerReflection, { serverReflectionInfo: "local" });
allow(ServerReflectionAlpha, { serverReflectionInfo: "local" });
allow(Authorities, { listAuthorities: "read" });
allow(Health, { check: "local", list: "local", watch: "local" });
allow(NodeSync, { watch: "agent" });
allow(Recovery, { recover: "anyone", fetchSignedBundle: "anyone" });
allow(Entries, {
  createEntry: "write-entry",
  getEntry: "read",
  listEntries: "read",
  previewDelete: "read",
});
allow(Status, { getStatus: "local" });
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

/**
 * Asserts that it is decided who may call each method of a service, before the service is added to a server.
 *
 * @throws Error  a method has no rule: the server must not start
 */
export function assertRuled(service: DescService): void {
  for (const { name } of service.methods) {
    const path = pathOf(service, name);
    if (!RULES.has(path)) throw new Error(`nothing says who may call ${path}`);
  }
}
