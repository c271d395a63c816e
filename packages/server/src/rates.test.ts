import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey } from "@bonafide/pki";
import { RetryInfoSchema } from "@bonafide/proto/google/rpc/error_details_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { collect, csrOf, failureOf, openTestServer, wireIdOf } from "./testing/test-server.ts";

/** Three at once, and then none for as long as a test may take. */
const RARE = { perSecond: 0.0001, burst: 3 };

async function assertOverloaded(call: Promise<unknown>): Promise<void> {
  const { status, code, error } = await failureOf(call);
  assert.deepEqual([status, code], ["resource_exhausted", "OVERLOADED"]);
  assert.ok((error.detail(RetryInfoSchema)?.retryDelay?.seconds ?? 0n) > 0n);
}

test("calls of an address are counted before anything is known of the caller; the private socket is not", async () => {
  await using srv = await openTestServer({ options: { addressRate: RARE } });
  await srv.join();
  const client = srv.remote(Agent);
  const attest = (): Promise<unknown> => collect(client.attestAgent(nothing()));
  for (let i = 0; i < 2; i++) assert.equal((await failureOf(attest())).code, "REQUEST_INVALID");
  await assertOverloaded(attest());
  await assertOverloaded(srv.remote(Bundle).getBundle({}));
  for (let i = 0; i < 4; i++) {
    await srv.local(Bundle).getBundle({});
    const local = collect(srv.local(Agent).attestAgent(nothing()));
    assert.equal((await failureOf(local)).code, "REQUEST_INVALID");
  }
});

test("calls of a node are counted by node: what one has used up another still has", async () => {
  await using srv = await openTestServer({ options: { nodeRate: RARE } });
  const clients = [await srv.join(), await srv.join()].map((svid) => ({
    agent: srv.remote(Agent, svid),
    entry: srv.remote(Entry, svid),
  }));
  for (const { agent, entry } of clients) {
    await agent.postStatus({});
    await entry.getAuthorizedEntries({});
    await agent.postStatus({});
    await assertOverloaded(agent.postStatus({}));
    await assertOverloaded(entry.getAuthorizedEntries({}));
    await assertOverloaded(collect(entry.syncAuthorizedEntries(nothing())));
  }
});

test("certificates are counted by item, renewals with them, and tokens apart", async () => {
  await using srv = await openTestServer({ options: { signRate: RARE } });
  const svid = await srv.join();
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: [
      {
        parentId: wireIdOf(svid),
        spiffeId: { trustDomain: "example.org", path: "/w" },
        selectors: [{ type: "unix", value: "uid:1" }],
      },
    ],
  });
  const entryId = results[0]?.entry?.id ?? "";
  const csr = csrOf(generateKey("ec-p256"));
  const signer = srv.remote(SVID, svid);
  const of = (count: number): Promise<unknown> =>
    signer.batchNewX509SVID({ params: Array.from({ length: count }, () => ({ entryId, csr })) });
  assert.equal((await failureOf(of(4))).code, "OVERLOADED");
  assert.equal((await failureOf(of(501))).code, "OVERLOADED");
  await of(2);
  await assertOverloaded(of(2));
  await srv.remote(Agent, svid).renewAgent({ params: { csr } });
  await assertOverloaded(of(1));
  await assertOverloaded(srv.remote(Agent, svid).renewAgent({ params: { csr } }));
  const token = (): Promise<unknown> => signer.newJWTSVID({ entryId, audience: ["a"] });
  for (let i = 0; i < 3; i++) await token();
  await assertOverloaded(token());
});

async function* nothing(): AsyncGenerator<never, void, void> {}
