import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Recovery } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { Greeter } from "@bonafide/proto/bonafide/demo/v1/greeter_pb";
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
import type { DescMethod } from "@bufbuild/protobuf";
import { collect, failureOf, openTestServer } from "../testing/test-server.ts";
import { assertRuled, ruleOf } from "./rules.ts";

/** SPIRE's own services, and what of them is not for administrators and the private socket (wire §3). */
const SPIRES = [Agent, Bundle, Entry, SVID, TrustDomain, LocalAuthority];
const NOT_ADMINISTRATORS = new Map([
  ["AttestAgent", "anyone"],
  ["GetBundle", "anyone"],
  ["RenewAgent", "agent"],
  ["PostStatus", "agent"],
  ["GetAuthorizedEntries", "agent"],
  ["SyncAuthorizedEntries", "agent"],
  ["BatchNewX509SVID", "agent"],
  ["BatchNewWITSVID", "agent"],
  ["NewJWTSVID", "agent"],
  ["GetFederatedBundle", "agent-or-read"],
  ["PublishJWTAuthority", "downstream"],
  ["PublishWITAuthority", "downstream"],
  ["NewDownstreamX509CA", "downstream"],
]);
const LOCAL = [Health, Logger, Debug, Ledger, ServerReflection, ServerReflectionAlpha];
const CODES = new Map([
  ["agent", "AGENT_REQUIRED"],
  ["downstream", "DOWNSTREAM_REQUIRED"],
  ["local", "METHOD_UNAVAILABLE_HERE"],
]);

test("every method of SPIRE's services has the rule that its wire gives it", () => {
  const administrators = ["read", "mint", "write-"];
  let seen = 0;
  for (const service of SPIRES) {
    assertRuled(service);
    for (const { name } of service.methods) {
      seen++;
      const rule = ruleOf(`/${service.typeName}/${name}`) ?? "";
      const special = NOT_ADMINISTRATORS.get(name);
      if (special !== undefined) assert.equal(rule, special, name);
      else
        assert.ok(
          administrators.some((word) => rule.startsWith(word)),
          `${name}: ${rule}`,
        );
      const isRead = /^(Get|List|Count)/.test(name) && special === undefined;
      assert.equal(rule === "read", isRead, name);
    }
  }
  assert.equal(seen, 58);
  for (const service of LOCAL) {
    for (const { name } of service.methods) {
      assert.equal(ruleOf(`/${service.typeName}/${name}`), "local", name);
    }
  }
  for (const service of [Entries, NodeSync, Recovery]) assertRuled(service);
});

test("a service with a method that nobody decided about is not added", () => {
  assert.throws(() => {
    assertRuled(Greeter);
  }, /nothing says who may call/);
});

test("over the wire, each method refuses whoever it is not for, and no administrator is an agent", async () => {
  await using srv = await openTestServer({ store: openMemoryStore() });
  const agent = await srv.join();
  const whole = [Agent, Bundle, Entry, SVID, Entries, NodeSync];
  for (const service of whole) {
    const clients = { nobody: srv.remote(service), agent: srv.remote(service, agent) };
    for (const method of service.methods) {
      const path = `/${service.typeName}/${method.name}`;
      const rule = ruleOf(path) ?? "";
      if (rule === "anyone") continue;
      const code = CODES.get(rule) ?? "ADMIN_REQUIRED";
      const isForAgents = rule.startsWith("agent");
      const asNobody = rule === "agent-or-read" ? "ADMIN_REQUIRED" : code;
      assert.equal(await codeOf(clients.nobody, method), asNobody, `${path} without an SVID`);
      if (!isForAgents) {
        assert.equal(await codeOf(clients.agent, method), code, `${path} as an agent`);
      }
      if (isForAgents ? rule === "agent" : rule === "downstream") {
        assert.equal(await codeOf(srv.local(service), method), code, `${path} on the socket`);
      }
    }
  }
  for (const service of LOCAL) {
    const client = srv.remote(service, agent);
    for (const method of service.methods) {
      const refused = failureOf(called(client, method));
      assert.equal((await refused).status, "unimplemented", method.name);
    }
  }
});

async function codeOf(client: object, method: DescMethod): Promise<string | undefined> {
  return (await failureOf(called(client, method))).code;
}

/** Calls a method with an empty request, whatever its kind. */
async function called(client: object, { localName, methodKind }: DescMethod): Promise<unknown> {
  const call: unknown = Reflect.get(client, localName);
  assert.ok(typeof call === "function");
  const isStreamed = methodKind === "client_streaming" || methodKind === "bidi_streaming";
  const answer: unknown = Reflect.apply(call, client, [isStreamed ? Readable.from([]) : {}]);
  if (methodKind === "unary" || methodKind === "client_streaming") return answer;
  assert.ok(isAsync(answer));
  return collect(answer);
}

function isAsync(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
