import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseCertificate } from "@bonafide/pki";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import type { X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { failureOf } from "@bonafide/server/testing";
import { certificatesOf } from "./certificates.ts";
import { openScenario, type Scenario } from "./scenario.ts";
import { until } from "./spawned.ts";

const options = { timeout: 300_000 };
const AUDIENCE = "spiffe://example.org/audience";

let scenario: Scenario;
before(async () => {
  scenario = await openScenario();
}, options);
after(async () => {
  await scenario[Symbol.asyncDispose]();
});

/** Key ids of the authorities of a message's bundle, and of the one that signed its SVID. */
function authoritiesOf({ svids: [svid] }: X509SVIDResponse): {
  signer: string;
  bundle: readonly string[];
} {
  assert.ok(svid !== undefined);
  const bundle = certificatesOf(svid.bundle).map(({ raw }) =>
    hex(parseCertificate(new Uint8Array(raw)).subjectKeyId),
  );
  return { signer: hex(parseCertificate(svid.x509Svid).authorityKeyId), bundle };
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

test(
  "force-rotation-self-signed: prepared, activated, tainted, revoked; workloads move without being asked",
  options,
  async () => {
    const authorities = scenario.admin(LocalAuthority);
    await using agent = await scenario.agent(await scenario.token("/node/force"));
    await agent.serves();
    await scenario.entry("/force", "/node/force");
    await agent.hasIds([scenario.text("/force")]);
    const updates = agent.watch();
    const seen = async (
      holds: (state: ReturnType<typeof authoritiesOf>) => boolean,
    ): Promise<void> => {
      for (;;) {
        const { value, done } = await updates.next();
        assert.ok(done !== true, "the stream ended");
        if (holds(authoritiesOf(value))) return;
      }
    };
    const { active } = await authorities.getX509AuthorityState({});
    const old = active?.authorityId ?? "";
    await seen(({ signer }) => signer === old);

    const { preparedAuthority } = await authorities.prepareX509Authority({});
    const next = preparedAuthority?.authorityId ?? "";
    await seen(({ bundle }) => bundle.includes(old) && bundle.includes(next));
    assert.notEqual(
      (await failureOf(authorities.taintX509Authority({ authorityId: old }))).status,
      "",
    );
    await authorities.activateX509Authority({ authorityId: next });
    assert.notEqual(
      (await failureOf(authorities.revokeX509Authority({ authorityId: old }))).status,
      "",
    );

    await authorities.taintX509Authority({ authorityId: old });
    await seen(({ signer }) => signer === next);
    await authorities.revokeX509Authority({ authorityId: old });
    await seen(({ bundle }) => !bundle.includes(old));
    await updates.return();
  },
);

test(
  "force-rotation-jwt-authority: a tainted key's tokens are replaced, a revoked one's are refused",
  options,
  async () => {
    const authorities = scenario.admin(LocalAuthority);
    await using agent = await scenario.agent(await scenario.token("/node/jwt"));
    await agent.serves();
    await scenario.entry("/jwt", "/node/jwt");
    await agent.hasIds([scenario.text("/jwt")]);
    const { active } = await authorities.getJWTAuthorityState({});
    const old = active?.authorityId ?? "";
    const kept = await agent.jwt(AUDIENCE);
    assert.equal(kidOf(kept), old);

    const { preparedAuthority } = await authorities.prepareJWTAuthority({});
    const next = preparedAuthority?.authorityId ?? "";
    await authorities.activateJWTAuthority({ authorityId: next });
    assert.equal(await agent.validate(AUDIENCE, kept), scenario.text("/jwt"));
    await authorities.taintJWTAuthority({ authorityId: old });
    await until(async () => (kidOf(await agent.jwt(AUDIENCE)) === next ? true : undefined));
    assert.equal(await agent.validate(AUDIENCE, kept), scenario.text("/jwt"));

    await authorities.revokeJWTAuthority({ authorityId: old });
    const td = scenario.text("");
    await until(async () =>
      (await agent.jwtBundles())[td]?.includes(old) === false ? true : undefined,
    );
    assert.equal((await failureOf(agent.validate(AUDIENCE, kept))).status, "invalid_argument");
    assert.equal(await agent.validate(AUDIENCE, await agent.jwt(AUDIENCE)), scenario.text("/jwt"));
  },
);

function kidOf(token: string): string {
  const [head = ""] = token.split(".");
  return /"kid":"([^"]+)"/.exec(Buffer.from(head, "base64url").toString())?.[1] ?? "";
}
