import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@bonafide/lifetime";
import { ErrorInfoSchema } from "@bonafide/proto/google/rpc/error_details_pb";
import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import { detail, RpcError } from "@bonafide/rpc";
import { createTlsConnector, memberOf, type X509Context, x509ContextOf } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import type { RefusalReason } from "../core/standing.ts";
import type { ServerLink } from "../server/server-link.ts";
import { ServerLinks } from "./server-links.ts";

const own = new TestTrustDomain("example.org");

/** Links of an agent whose SVID a test replaces; nothing is connected until a call wants it. */
class Bench implements AsyncDisposable {
  readonly refusals: RefusalReason[] = [];
  #context = newContext();
  readonly #source = {
    context: (): X509Context => this.#context,
    async *updates() {},
  };
  readonly #connector = createTlsConnector({
    source: this.#source,
    authorize: memberOf(own.trustDomain),
    clock: systemClock,
  });
  readonly links = new ServerLinks({
    address: { host: "127.0.0.1", port: 9 },
    connector: this.#connector,
    source: this.#source,
    onRefused: (reason) => {
      this.refusals.push(reason);
    },
  });

  renew(): void {
    this.#context = newContext();
  }

  /** The link that a call got, which then failed so. */
  async failing(error: RpcError, before = (): void => {}): Promise<ServerLink> {
    let got: ServerLink | undefined;
    const call = this.links.use((link) => {
      got = link;
      before();
      return Promise.reject(error);
    });
    await assert.rejects(call, { code: error.code });
    assert.ok(got !== undefined);
    return got;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.links.close();
    await this.#connector.close();
  }
}

function newContext(): X509Context {
  return x509ContextOf(own.issue("/spire/agent/a"), new Map());
}

function refusal(): RpcError {
  const details = detail(PermissionDeniedDetailsSchema, { reason: Reason.AGENT_EXPIRED });
  return new RpcError("permission_denied", "expired", [details]);
}

test("a refusal counts for the SVID that it was said of, and not for the one that followed", async () => {
  await using bench = new Bench();
  await bench.failing(refusal(), () => {
    bench.renew();
  });
  assert.deepEqual(bench.refusals, []);
  await bench.failing(refusal());
  assert.deepEqual(bench.refusals, ["AGENT_EXPIRED"]);
});

test("an answer of a server that is not ready keeps the connection, a lost one opens another", async () => {
  await using bench = new Bench();
  const said = detail(ErrorInfoSchema, { domain: "bonafide", reason: "AUTHORITY_NOT_READY" });
  const first = await bench.failing(new RpcError("unavailable", "not ready", [said]));
  const second = await bench.failing(new RpcError("unavailable", "14 UNAVAILABLE"));
  assert.equal(second, first);
  const third = await bench.failing(refusal());
  assert.notEqual(third, second);
});
