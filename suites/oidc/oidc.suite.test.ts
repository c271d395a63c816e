import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import process from "node:process";
import { test } from "node:test";
import { TestCa } from "@bonafide/pki/testing";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import * as jose from "jose";
import * as relyingParty from "openid-client";
import { CommandLine } from "../cli/command-line.ts";
import { freePort, Plane, until } from "../faults/plane.ts";

async function answered(asked: ClientRequest): Promise<Response> {
  asked.end();
  const [event] = await once(asked, "response");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node's event carries
  const response = event as IncomingMessage;
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(Buffer.from(part));
  const { statusCode: status = 0, headers } = response;
  const type = headers["content-type"] ?? "";
  return new Response(Buffer.concat(parts).toString(), {
    status,
    headers: { "content-type": type },
  });
}

test(
  "a relying party discovers the provider, gets its keys and validates JWT-SVIDs, before and after a rotation",
  { timeout: 300_000 },
  async (t) => {
    const port = await freePort();
    const issuer = `https://localhost:${port}`;
    await using plane = await Plane.open();
    writeFileSync(plane.path("server.yaml"), `jwt_issuer: ${issuer}\n`);
    await plane.start({ server: { flags: [`--config=${plane.path("server.yaml")}`] } });
    await plane.entry("/self", `unix:uid:${process.getuid?.() ?? 0}`);
    const ca = new TestCa("spiffe://web.test");
    const { chainPem, keyPem } = ca.issue("spiffe://web.test/oidc", { dnsNames: ["localhost"] });
    writeFileSync(plane.path("web.crt"), chainPem);
    writeFileSync(plane.path("web.key"), keyPem, { mode: 0o600 });
    const command = new CommandLine({
      server: plane.path("sa", "s"),
      agent: plane.path("aa", "s"),
    });
    await using provider = await command.serve([
      "oidc",
      "run",
      "--domain=localhost",
      `--listen=127.0.0.1:${port}`,
      `--certificate=${plane.path("web.crt")}`,
      `--key=${plane.path("web.key")}`,
      `--server-socket=${plane.path("sa", "s")}`,
    ]);
    assert.match(provider.said, new RegExp(`127.0.0.1:${port}`));
    const get = (url: string | URL): Promise<Response> =>
      answered(requestTls(url, { ca: ca.pem, agent: false }));
    await until("it is ready", async () => (await get(`${issuer}/ready`)).status === 200);

    const options = { [relyingParty.customFetch]: get };
    const found = await relyingParty.discovery(
      new URL(issuer),
      "a-relying-party",
      undefined,
      relyingParty.None(),
      options,
    );
    const { jwks_uri: keysUrl = "" } = found.serverMetadata();
    const mint = async (): Promise<string> => {
      const id = { trustDomain: plane.trustDomain, path: "/self" };
      const { svid } = await plane.local(SVID).mintJWTSVID({ id, audience: ["cloud"] });
      return svid?.token ?? "";
    };
    const validate = async (token: string): Promise<string | undefined> => {
      const keys = jose.createRemoteJWKSet(new URL(keysUrl), { [jose.customFetch]: get });
      const { payload } = await jose.jwtVerify(token, keys, { issuer, audience: "cloud" });
      return payload.sub;
    };
    const first = await mint();
    assert.equal(await validate(first), "spiffe://example.org/self");
    await assert.rejects(validate(`${first.slice(0, -8)}AAAAAAAA`));

    await t.test("a prepared key is there before it signs, under the same ID", async () => {
      const local = plane.local(LocalAuthority);
      const { preparedAuthority } = await local.prepareJWTAuthority({});
      const authorityId = preparedAuthority?.authorityId ?? "";
      await until("the next key is published", async () => {
        const keys = await (await get(keysUrl)).text();
        return keys.includes(authorityId);
      });
      await until("the next key may sign", async () => {
        try {
          await local.activateJWTAuthority({ authorityId });
          return true;
        } catch {
          return false;
        }
      });
      const second = await mint();
      assert.equal(jose.decodeProtectedHeader(second).kid, authorityId);
      assert.equal(await validate(second), "spiffe://example.org/self");
      assert.equal(await validate(first), "spiffe://example.org/self");
    });

    await t.test("the same keys come from the Workload API, over a unix socket", async () => {
      const socketPath = plane.path("oidc", "oidc.sock");
      await using behindProxy = await command.serve([
        "oidc",
        "run",
        "--domain=oidc.example.org",
        `--socket=${socketPath}`,
        `--workload-socket=${plane.workloadSocket}`,
        `--trust-domain=${plane.trustDomain}`,
      ]);
      assert.match(behindProxy.said, /oidc.sock/);
      const ask = (path: string, host = "oidc.example.org"): Promise<Response> =>
        answered(requestPlain({ socketPath, path, headers: { host } }));
      await until("it is ready", async () => (await ask("/ready")).status === 200);
      await until(
        "it has the same keys",
        async () => (await (await ask("/keys")).text()) === (await (await get(keysUrl)).text()),
      );
      assert.equal((await ask("/keys", "evil.example")).status, 421);
    });

    await t.test("without its server it keeps the last keys", async () => {
      await plane.server.kill();
      assert.equal(await validate(first), "spiffe://example.org/self");
    });
  },
);
