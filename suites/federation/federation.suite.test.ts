import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";
import process from "node:process";
import { test } from "node:test";
import { TestCa } from "@bonafide/pki/testing";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import {
  createHttpsAgent,
  createHttpsServer,
  exactId,
  formatSpiffeBundle,
  openX509Source,
  type X509Source,
  x509ContextOf,
} from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { freePort, Plane, until } from "../faults/plane.ts";

const UID = `unix:uid:${process.getuid?.() ?? 0}`;
const CLIENT = exactId("spiffe://example.org/client");
const SERVER = exactId("spiffe://other.org/server");

/** A plane whose server has a bundle endpoint. */
async function openPlane(
  trustDomain: string,
  endpoint: readonly string[],
  more: readonly string[] = [],
): Promise<Plane> {
  const plane = await Plane.open({ trustDomain });
  const lines = ["bundle_endpoint:", ...endpoint.map((line) => `  ${line}`), ...more, ""];
  writeFileSync(plane.path("server.yaml"), lines.join("\n"));
  await plane.start({ server: { flags: [`--config=${plane.path("server.yaml")}`] } });
  return plane;
}

async function call(agent: Agent, port: number): Promise<string> {
  const asked = request({ host: "127.0.0.1", port, agent });
  asked.end();
  const [response] = await once(asked, "response");
  let text = "";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node's event carries
  for await (const part of response as IncomingMessage) text += String(part);
  return text;
}

async function codeOf(calling: Promise<unknown>): Promise<string> {
  try {
    await calling;
    return "";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Ids of the authorities that a workload trusts of a domain. */
function trusted(source: X509Source, trustDomain: string): number {
  for (const [name, bundle] of source.context().bundles) {
    if (name === trustDomain) return bundle.authorities.length;
  }
  return 0;
}

test(
  "workloads of two trust domains talk over both profiles, through a rotation of authorities, and nobody else gets in",
  { timeout: 600_000 },
  async (t) => {
    const [ourPort, theirPort] = [await freePort(), await freePort()];
    const web = new TestCa("spiffe://web.test");
    const { chainPem, keyPem } = web.issue("spiffe://web.test/host", { dnsNames: ["localhost"] });
    await using there = await Plane.open({ trustDomain: "other.org" });
    for (const [name, text] of [
      ["web.crt", chainPem],
      ["web.key", keyPem],
      ["roots.pem", web.pem],
    ] as const) {
      writeFileSync(there.path(name), text);
    }
    const config = [
      "bundle_endpoint:",
      `  listen: 127.0.0.1:${theirPort}`,
      "  profile: https_web",
      `  certificate: ${there.path("web.crt")}`,
      `  key: ${there.path("web.key")}`,
      "  refresh_hint: 60s",
      "",
    ];
    writeFileSync(there.path("server.yaml"), config.join("\n"));
    await there.start({ server: { flags: [`--config=${there.path("server.yaml")}`] } });
    await using here = await openPlane(
      "example.org",
      [`listen: 127.0.0.1:${ourPort}`, "profile: https_spiffe"],
      [`web_roots: ${there.path("roots.pem")}`],
    );

    const shown = await here.command("bundle", "show", "--format", "spiffe");
    assert.ok(typeof shown === "object" && shown !== null && "spiffe" in shown);
    writeFileSync(there.path("here.json"), String(shown.spiffe));
    const asSpire = [
      "-trustDomain example.org -bundleEndpointProfile https_spiffe",
      `-bundleEndpointURL https://localhost:${ourPort}/`,
      "-endpointSpiffeID spiffe://example.org/spire/server",
      `-trustDomainBundlePath ${there.path("here.json")} -trustDomainBundleFormat spiffe`,
    ];
    const words = asSpire.join(" ").split(" ");
    const spiffe = await there.command("federation", "create", ...words);
    assert.partialDeepStrictEqual(spiffe, { trustDomain: "example.org", profile: "https_spiffe" });
    const asOurs = `--trust-domain other.org --profile https_web --url https://localhost:${theirPort}/`;
    await here.command("federation", "create", ...asOurs.split(" "));
    for (const [plane, id] of [
      [here, "other.org"],
      [there, "example.org"],
    ] as const) {
      const refreshed = await plane.command("federation", "refresh", "--id", id);
      assert.deepEqual(refreshed, { trustDomain: id, refreshed: true });
    }
    const listed = await here.command("federation", "list");
    assert.partialDeepStrictEqual(listed, {
      relationships: [{ trustDomain: "other.org", bundle: { x509Authorities: 1 } }],
    });

    await here.entry("/client", UID, { ttl: 60, federatesWith: ["other.org"] });
    await there.entry("/server", UID, { ttl: 60, federatesWith: ["example.org"] });
    await using client = await openX509Source({ address: `unix://${here.workloadSocket}` });
    await using served = await openX509Source({ address: `unix://${there.workloadSocket}` });
    await using server = createHttpsServer({ source: served, authorize: CLIENT }, (asked, answer) =>
      answer.end(asked.peer.spiffeId),
    );
    const port = await server.listen({ host: "127.0.0.1", port: 0 });
    const agent = createHttpsAgent({
      source: client,
      authorize: SERVER,
      agent: { keepAlive: false },
    });
    t.after(() => agent.destroy());

    let calls = 0;
    const failures: string[] = [];
    const talking = new AbortController();
    const talk = async (): Promise<void> => {
      while (!talking.signal.aborted) {
        calls += 1;
        const failed = await codeOf(call(agent, port));
        if (failed !== "") failures.push(failed);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const talked = talk();

    await t.test("authorities of the other side change while they talk", async () => {
      const authorities = async (): Promise<readonly unknown[]> =>
        (await there.local(Bundle).getBundle({})).x509Authorities;
      const local = there.local(LocalAuthority);
      const { active } = await local.getX509AuthorityState({});
      const { preparedAuthority } = await local.prepareX509Authority({});
      const [old, next] = [active, preparedAuthority].map((state) => ({
        authorityId: state?.authorityId ?? "",
      }));
      assert.ok(old !== undefined && next !== undefined);
      assert.equal((await authorities()).length, 2);
      await here.command("federation", "refresh", "--id", "other.org");
      await until("our workload knows the next one", () => trusted(client, "other.org") === 2);
      await until("the next one may sign", () => works(local.activateX509Authority(next)));
      const before = served.current();
      await local.taintX509Authority(old);
      await until("their workload has another SVID", () => served.current() !== before);
      await until("the old one goes", () => works(local.revokeX509Authority(old)));
      await here.command("federation", "refresh", "--id", "other.org");
      await until("the old authority is gone here", () => trusted(client, "other.org") === 1);
    });
    const before = calls;
    await until("they go on talking", () => calls > before + 10);
    talking.abort();
    await talked;
    assert.deepEqual(failures, []);
    assert.ok(calls > 20, `${calls} calls`);
    t.diagnostic(`${calls} calls, none failed`);

    await t.test("a leaf of theirs that a third domain signed is refused", async () => {
      const third = new TestTrustDomain("third.org");
      const { bundle, trustDomain } = third;
      const document = formatSpiffeBundle({
        trustDomain,
        sequence: 1n,
        refreshHintSeconds: undefined,
        x509: bundle,
        jwtAuthorities: [],
        witAuthorities: [],
      });
      writeFileSync(here.path("third.json"), document);
      const file = ["-path", here.path("third.json"), "-format", "spiffe"];
      await here.command("bundle", "set", "-id", "third.org", ...file);
      await here.entry("/client-of-both", UID, {
        ttl: 60,
        federatesWith: ["other.org", "third.org"],
      });
      await until("the third bundle is here", () => trusted(client, "third.org") === 1);
      const forged = third.forge("spiffe://other.org/server");
      const context = x509ContextOf(forged, served.context().bundles);
      const source = {
        context: () => context,
        async *updates() {
          yield await Promise.resolve(context);
        },
      };
      await using impostor = createHttpsServer({ source, authorize: CLIENT }, (_asked, answer) =>
        answer.end("impostor"),
      );
      const impostorPort = await impostor.listen({ host: "127.0.0.1", port: 0 });
      assert.equal(await codeOf(call(agent, impostorPort)), "X509_SVID_UNTRUSTED");
      assert.equal(await call(agent, port), "spiffe://example.org/client");
    });

    await t.test("FED-36: without the bundle nobody of the domain is believed", async () => {
      const refused = await here.command("bundle", "delete", "--id", "other.org");
      assert.ok(typeof refused === "object" && refused !== null && "refused" in refused);
      await here.command("federation", "delete", "--id", "other.org");
      const mode = ["--mode", "dissociate"];
      await here.command("bundle", "delete", "--id", "other.org", ...mode);
      await until("the bundle is gone", () => trusted(client, "other.org") === 0);
      assert.equal(await codeOf(call(agent, port)), "BUNDLE_NOT_FOUND");
    });
  },
);

async function works(calling: Promise<unknown>): Promise<boolean> {
  return (await codeOf(calling)) === "";
}
