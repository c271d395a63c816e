import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CommandLine, type Serving } from "./command-line.ts";

const options = { timeout: 240_000 } as const;
const folder = mkdtempSync("/tmp/bf-agent-");
const path = (name: string): string => join(folder, name);
const cli = new CommandLine({
  server: path("server/private/admin.sock"),
  agent: path("agent/private/admin.sock"),
});
let server: Serving | undefined;
let address = "";
before(async () => {
  const data = `--data-dir=${path("server")}`;
  writeFileSync(path("server.yaml"), "jwt_svid_ttl: 42s\njwt_issuer: https://oidc.example.org\n");
  const own = ["--trust-domain=example.org", `--config=${path("server.yaml")}`];
  const words = [...own, data, "--listen=127.0.0.1:0"];
  server = await cli.serve(["server", "run", ...words]);
  address = `127.0.0.1:${/port (\d+)/.exec(server.said)?.[1] ?? ""}`;
  writeFileSync(path("bundle.pem"), (await cli.run("bundle", "show")).out);
  writeFileSync(path("nonsense.pem"), "nonsense");
}, options);
after(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, options);

/** Flags of an agent; an undefined one is left out. */
function flags(own: Readonly<Record<string, string | undefined>> = {}): readonly string[] {
  const all = {
    "trust-domain": "example.org",
    "data-dir": path("agent"),
    server: address,
    "trust-bundle": path("bundle.pem"),
    "workload-socket": path("workload.sock"),
    ...own,
  };
  return Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
}

type Fault = readonly [Readonly<Record<string, string | undefined>>, number, RegExp];
const faults: Readonly<Record<string, Fault>> = {
  "no trust domain": [{ "trust-domain": undefined }, 78, /trust_domain is missing/],
  "an address without a port": [{ server: "localhost" }, 78, /server: is no host:port/],
  "a misspelt flag": [{ "trust-bundel": "x" }, 64, /did you mean --trust-bundle\?/],
  "no bundle": [{ "trust-bundle": undefined }, 78, /BOOTSTRAP_MISSING\)\n {2}next: on the server/],
  "a bundle that is not there": [{ "trust-bundle": "/nope" }, 65, /\/nope cannot be read/],
  "a bundle that is none": [{ "trust-bundle": path("nonsense.pem") }, 65, /neither PEM/],
  "no file of the token": [{ "join-token-file": "/nope" }, 78, /FILE_UNREADABLE/],
  "a folder that is open": [{ "data-dir": path("open") }, 78, /chmod 700/],
  "a long socket": [{ "workload-socket": path("x".repeat(120)) }, 78, /SOCKET_PATH_TOO_LONG/],
  "no token": [{ "data-dir": path("none") }, 1, /no join token \(agent\.not_attested\)/],
  "a wrong token": [
    { "data-dir": path("wrong"), "join-token": "00000000-0000-0000-0000-000000000000" },
    1,
    /\(agent\.token_refused\)\n[^]*next: bonafide token create\n$/,
  ],
};
for (const [name, [own, code, said]] of Object.entries(faults)) {
  test(`agent run with ${name} says what is wrong and ends with ${code}`, options, async () => {
    if (name === "a folder that is open") mkdirSync(path("open"), { mode: 0o755 });
    const ended = await cli.run("agent", "run", ...flags(own));
    assert.equal(ended.code, code, ended.err);
    assert.match(ended.err, said);
  });
}

test(
  "agent validate reads what agent run would, starts nothing and shows no token",
  options,
  async () => {
    const right = await cli.run(
      "agent",
      "validate",
      ...flags({ "join-token": "secret" }),
      "--json",
    );
    assert.equal(right.code, 0, right.err);
    assert.match(right.out, /"valid":true/);
    assert.match(right.out, /"join_token":"\(given\)"/);
    assert.doesNotMatch(right.out, /secret/);
    const wrong = await cli.run("agent", "validate", ...flags({ "trust-domain": "A b" }));
    assert.equal(wrong.code, 78);
    assert.match(wrong.err, /trust_domain: is no name of a trust domain/);
  },
);

test(
  "the server's file says how long JWT-SVIDs are good and who issues them",
  options,
  async () => {
    const words = ["-spiffeID", "spiffe://example.org/web", "-audience", "db"];
    const { token } = await cli.json("jwt", "mint", ...words);
    const payload = Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString("utf8");
    assert.match(payload, /"iss":"https:\/\/oidc\.example\.org"/);
    const [, exp, iat] = /"exp":(\d+),"iat":(\d+)/.exec(payload) ?? [];
    assert.equal(Number(exp) - Number(iat), 42);
  },
);

test(
  "a second agent on the same folder or socket ends with 75 and names the way out",
  options,
  async () => {
    const token = (await cli.run("token", "create")).out.trim();
    await using first = await cli.serve(["agent", "run", ...flags({ "join-token": token })]);
    assert.match(first.said, /^spiffe:\/\/example\.org\/\S+ serves the Workload API at /);
    const folderTaken = await cli.run("agent", "run", ...flags());
    assert.equal(folderTaken.code, 75);
    assert.match(folderTaken.err, /AGENT_STATE_LOCKED\)\n {2}next: stop the other agent/);
    const more = (await cli.run("token", "create")).out.trim();
    const own = { "data-dir": path("other"), "join-token": more };
    const socketTaken = await cli.run("agent", "run", ...flags(own));
    assert.equal(socketTaken.code, 75);
    assert.match(socketTaken.err, /SOCKET_IN_USE\)\n {2}next: stop what listens there/);
  },
);
