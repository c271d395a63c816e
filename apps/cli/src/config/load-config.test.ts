import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { agentConfigJsonSchema, loadAgentConfig } from "./agent-config.ts";
import { renderConfigPage } from "./config-page.ts";
import { loadOidcConfig, oidcConfigJsonSchema } from "./oidc-config.ts";
import { loadServerConfig, serverConfigJsonSchema } from "./server-config.ts";

const folder = mkdtempSync(join(tmpdir(), "bonafide-config-"));
after(() => {
  rmSync(folder, { recursive: true });
});
function file(text: string): string {
  const path = join(folder, "config.yaml");
  writeFileSync(path, text);
  return path;
}

test("a file gives values, defaults fill in, flags lie over both", () => {
  const path = file("trust_domain: example.org\ndata_dir: /a\nca_ttl: 24h\n");
  const config = loadServerConfig(path, { data_dir: "/b", listen: undefined });
  assert.equal(config.data_dir, "/b");
  assert.equal(config.ca_ttl, 86_400_000);
  assert.equal(config.listen, "0.0.0.0:8081");
  assert.equal(config.agent_recovery_window, 30 * 86_400_000);
});

test("an unknown key is refused and the nearest known key is named", () => {
  const path = file("trust_domain: example.org\ndata_dir: /a\nca_tll: 24h\n");
  assert.throws(() => loadServerConfig(path, {}), {
    code: "CONFIG_INVALID",
    message: /ca_tll is no known key, did you mean ca_ttl\?/,
  });
});

test("all problems are told at once", () => {
  const path = file("listen: 1234\nca_ttl: soon\n");
  assert.throws(() => loadServerConfig(path, {}), {
    code: "CONFIG_INVALID",
    message: /trust_domain.*data_dir.*listen.*ca_ttl/s,
  });
});

test("what is not YAML, not a map, doubled, a bomb, huge or missing is refused", () => {
  const bomb = `a: &a [x]\n${Array.from({ length: 40 }, (_, i) => `b${i}: [*a,*a,*a,*a]`).join("\n")}`;
  for (const text of ["a: [", "- 1", "a: 1\na: 2", "x".repeat(1_048_577)]) {
    assert.throws(() => loadServerConfig(file(text), {}), { code: "CONFIG_UNREADABLE" });
  }
  assert.throws(() => loadServerConfig(file(bomb), {}));
  assert.throws(() => loadServerConfig(join(folder, "none.yaml"), {}), {
    code: "CONFIG_UNREADABLE",
  });
});

test("an agent needs a trust domain, a data folder and a server", () => {
  assert.throws(() => loadAgentConfig(undefined, {}), /trust_domain.*data_dir.*server/s);
  const config = loadAgentConfig(undefined, {
    trust_domain: "example.org",
    data_dir: "/a",
    server: "[::1]:8081",
  });
  assert.equal(config.poll_interval, 5000);
  assert.equal(config.insecure_bootstrap, false);
});

test("every key of an operator reaches the configuration; wrong values are refused by their key", () => {
  const server = loadServerConfig(
    file(
      "trust_domain: example.org\ndata_dir: /a\nadmin_ids: [spiffe://example.org/ops]\nslot: 3\n" +
        "strangers_per_address: 500\naddress_rate: {per_second: 100, burst: 500}\n",
    ),
    {},
  );
  assert.deepEqual(server.admin_ids, ["spiffe://example.org/ops"]);
  assert.deepEqual([server.slot, server.strangers_per_address], [3, 500]);
  assert.deepEqual(server.address_rate, { per_second: 100, burst: 500 });
  const wrong =
    "trust_domain: example.org\ndata_dir: /a\nadmin_ids: [example.org/ops]\nslot: 16\n" +
    "node_rate: {per_second: 1, bursts: 2}\n";
  assert.throws(() => loadServerConfig(file(wrong), {}), {
    code: "CONFIG_INVALID",
    message:
      /admin_ids\.0: is no SPIFFE ID; slot.*node_rate\.bursts is no known key, did you mean burst\?/s,
  });
  const agent = { trust_domain: "example.org", data_dir: "/a", server: "a:1" };
  assert.throws(() => loadAgentConfig(undefined, { ...agent, recovery_key: "AAAA" }), {
    message: /recovery_key: is no base64 of 32 bytes/,
  });
  const key = Buffer.alloc(32, 7).toString("base64");
  assert.equal(loadAgentConfig(undefined, { ...agent, recovery_key: key }).recovery_key, key);
});

test("what JWT-SVIDs are like comes from the file; the server knows the defaults", () => {
  const needed = "trust_domain: example.org\ndata_dir: /a\n";
  const own = "jwt_svid_ttl: 2m\njwt_issuer: https://oidc.example.org\n";
  const given = loadServerConfig(file(needed + own), {});
  assert.deepEqual([given.jwt_svid_ttl, given.jwt_issuer], [120_000, "https://oidc.example.org"]);
  const none = loadServerConfig(
    file(`${needed}ca_ttl: 6m\nx509_svid_ttl: 1m\nagent_svid_ttl: 1m\n`),
    {},
  );
  assert.deepEqual([none.jwt_svid_ttl, none.jwt_issuer], [undefined, undefined]);
  for (const [wrong, message] of [
    ["jwt_svid_ttl: 29h\n", /ca_ttl: is less than six times x509_svid_ttl, jwt_svid_ttl or agent/],
    ["jwt_svid_ttl: 1ms\n", /jwt_svid_ttl: is no duration in range/],
    ['jwt_issuer: ""\n', /jwt_issuer/],
  ] as const) {
    const path = file(needed + wrong);
    assert.throws(() => loadServerConfig(path, {}), { code: "CONFIG_INVALID", message });
  }
});

test("the examples of the configuration's page are valid", () => {
  const readers = new Map<string, (path: string) => unknown>([
    ["server", (path) => loadServerConfig(path, {})],
    ["agent", (path) => loadAgentConfig(path, {})],
    ["oidc", (path) => loadOidcConfig(path, {})],
  ]);
  const blocks = Array.from(renderConfigPage().matchAll(/^```yaml (\w+)\n([\s\S]*?)^```$/gm));
  assert.deepEqual(
    blocks.map(([, name]) => name),
    [...readers.keys()],
  );
  for (const [, name = "", text = ""] of blocks) readers.get(name)?.(file(text));
});

test("every schema is published as JSON Schema that forbids unknown keys", () => {
  for (const schema of [
    serverConfigJsonSchema(),
    agentConfigJsonSchema(),
    oidcConfigJsonSchema(),
  ]) {
    assert.match(JSON.stringify(schema), /"additionalProperties":false/);
    assert.match(JSON.stringify(schema), /"trust_domain"/);
  }
});
