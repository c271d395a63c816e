import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";
import { parseCertificate } from "@bonafide/pki";
import { Entry as EntryService } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { failureOf } from "@bonafide/server/testing";
import { certificatesOf } from "./certificates.ts";
import { openScenario, type Scenario } from "./scenario.ts";

const options = { timeout: 300_000 };
const MANY = 20;

let scenario: Scenario;
before(async () => {
  // As short as a server takes it: an authority lives for a minute, an SVID for five seconds.
  const ttls = ["--ca-ttl=60s", "--x509-svid-ttl=5s", "--agent-svid-ttl=10s"];
  scenario = await openScenario({ flags: ttls });
}, options);
after(async () => {
  await scenario[Symbol.asyncDispose]();
});

test(
  "fetch-x509-svids: a workload of many entries gets them all, and fewer when one goes",
  options,
  async () => {
    await using agent = await scenario.agent(await scenario.token("/node/x509"));
    await agent.serves();
    const paths = Array.from({ length: MANY }, (_, index) => `/x509/${index}`);
    const made = [];
    for (const path of paths) made.push(await scenario.entry(path, "/node/x509"));
    const message = await agent.hasIds(paths.map((path) => scenario.text(path)));
    assert.equal(new Set(message.svids.map(({ x509SvidKey }) => keyOf(x509SvidKey))).size, MANY);
    await scenario.admin(EntryService).batchDeleteEntry({ ids: [made[0]?.id ?? ""] });
    await agent.hasIds(paths.slice(1).map((path) => scenario.text(path)));
  },
);

test(
  "fetch-jwt-svids: a token is kept for its audience, and judged for no other",
  options,
  async () => {
    await using agent = await scenario.agent(await scenario.token("/node/jwt"));
    await agent.serves();
    const { id } = await scenario.entry("/jwt", "/node/jwt", { jwtSvidTtl: 10 });
    await agent.hasIds([scenario.text("/jwt")]);
    const tokens = new Map<string, string>();
    for (let index = 0; index < MANY; index++) {
      const audience = `audience-${index}`;
      tokens.set(audience, await agent.jwt(audience));
    }
    assert.equal(new Set(tokens.values()).size, MANY);
    const [[audience = "", token = ""] = []] = tokens;
    assert.equal(await agent.validate(audience, token), scenario.text("/jwt"));
    const elsewhere = await failureOf(agent.validate("another", token));
    assert.equal(elsewhere.status, "invalid_argument");
    const twice = [await agent.jwt("kept"), await agent.jwt("kept")];
    assert.equal(twice[0], twice[1]);

    await scenario.admin(EntryService).batchDeleteEntry({ ids: [id] });
    await agent.hasNone();
    assert.equal((await failureOf(agent.jwt(audience))).status, "permission_denied");
  },
);

test(
  "rotation: through rotations of SVIDs and of the authority, what a workload holds is always good",
  options,
  async () => {
    await using agent = await scenario.agent(await scenario.token("/node/rotation"));
    await agent.serves();
    await scenario.entry("/rotation", "/node/rotation");
    await agent.hasIds([scenario.text("/rotation")]);
    const authorities = new Set<string>();
    const serials = new Set<string>();
    let heldUntil = Infinity;
    for await (const message of agent.watch()) {
      assert.ok(Date.now() < heldUntil, "the SVID before had ended when this one came");
      const leaf = proven(message);
      heldUntil = leaf.notAfter;
      serials.add(String(leaf.serial));
      authorities.add(Buffer.from(leaf.authorityKeyId ?? []).toString("hex"));
      if (authorities.size > 1 && serials.size > 8) break;
    }
  },
);

/** The leaf of a message's SVID, which an authority of its bundle signed and which is good now. */
function proven({ svids: [svid] }: X509SVIDResponse): ReturnType<typeof parseCertificate> {
  assert.ok(svid !== undefined);
  const leaf = new X509Certificate(svid.x509Svid);
  const roots = certificatesOf(svid.bundle);
  assert.ok(
    roots.some((root) => leaf.checkIssued(root) && leaf.verify(root.publicKey)),
    "no authority of the bundle signed it",
  );
  assert.ok(leaf.validToDate.getTime() > Date.now(), "it has ended");
  return parseCertificate(new Uint8Array(leaf.raw));
}

function keyOf(der: Uint8Array): string {
  return Buffer.from(der).toString("base64");
}
