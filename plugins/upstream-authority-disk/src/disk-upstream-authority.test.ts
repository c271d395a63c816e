import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { type LogEvent, systemClock } from "@bonafide/lifetime";
import {
  type Certificate,
  CertificateIssuer,
  createCsr,
  encodeName,
  encodePrivateKey,
  formatPem,
  generateKey,
  issueRoot,
  keySigner,
  parseCertificate,
  verifyPath,
} from "@bonafide/pki";
import type { UpstreamAuthority } from "@bonafide/plugin-api";
import { upstreamAuthorityContract } from "@bonafide/plugin-api/testing";
import { openDiskUpstreamAuthority } from "./index.ts";

const TD = "example.org";
const DAY_MS = 86_400_000;
const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 30 * DAY_MS };
const subject = encodeName([{ type: "CN", value: "root" }]);
const certificatePem = (...list: readonly Certificate[]): string =>
  list.map(({ der }) => formatPem("CERTIFICATE", der)).join("");

function makeRoot(): { certificate: Certificate; issuer: CertificateIssuer; keyPem: string } {
  const { privateKey } = generateKey("ec-p256");
  const signer = keySigner(privateKey);
  const certificate = parseCertificate(issueRoot(signer, { uris: [], subject, ...validity }).der);
  const issuer = new CertificateIssuer(certificate, signer);
  return { certificate, issuer, keyPem: formatPem("PRIVATE KEY", encodePrivateKey(privateKey)) };
}

interface Bench extends AsyncDisposable {
  readonly events: LogEvent[];
  readonly write: (name: string, text: string) => Promise<void>;
  readonly open: (hasBundle?: boolean) => Promise<UpstreamAuthority>;
}

async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "bf-up-"));
  const events: LogEvent[] = [];
  return {
    events,
    write: (name, text) => writeFile(join(folder, name), text),
    open: (hasBundle = false) =>
      openDiskUpstreamAuthority({
        trustDomain: TD,
        certificatePath: join(folder, "ca.pem"),
        privateKeyPath: join(folder, "ca.key"),
        ...(hasBundle ? { bundlePath: join(folder, "bundle.pem") } : {}),
        clock: systemClock,
        log: (event) => events.push(event),
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

upstreamAuthorityContract("disk", async () => {
  const bench = await openBench();
  const root = makeRoot();
  await bench.write("ca.pem", certificatePem(root.certificate));
  await bench.write("ca.key", root.keyPem);
  const upstream = await bench.open();
  return {
    upstream,
    trustDomain: TD,
    now: Date.now(),
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await bench[Symbol.asyncDispose]();
    },
  };
});

const csr = createCsr(keySigner(generateKey("ec-p256").privateKey));

test("an authority below a root hands out itself too, and needs the bundle to be given", async () => {
  await using bench = await openBench();
  const root = makeRoot();
  const { privateKey } = generateKey("ec-p384");
  const signer = keySigner(privateKey);
  const name = encodeName([{ type: "CN", value: "between" }]);
  const template = { spki: signer.spki, uris: [], subject: name, ...validity };
  const between = parseCertificate(root.issuer.issueAuthority(template).der);
  await bench.write("ca.pem", certificatePem(between));
  await bench.write("ca.key", formatPem("PRIVATE KEY", encodePrivateKey(privateKey)));
  await bench.write("bundle.pem", certificatePem(root.certificate));
  await using upstream = await bench.open(true);
  const { chain, roots } = await upstream.mint({ csr, ttlMs: DAY_MS });
  assert.equal(chain.length, 2);
  assert.deepEqual(chain[1], between.der);
  assert.deepEqual(
    roots.map(({ certificate }) => certificate),
    [root.certificate.der],
  );
  verifyPath(chain.map(parseCertificate), [root.certificate], {
    now: Date.now(),
    subjectKind: "authority",
  });
});

test("a life beyond the authority's own end is cut to it", async () => {
  await using bench = await openBench();
  const root = makeRoot();
  await bench.write("ca.pem", certificatePem(root.certificate));
  await bench.write("ca.key", root.keyPem);
  await using upstream = await bench.open();
  const [der] = (await upstream.mint({ csr, ttlMs: 3650 * DAY_MS })).chain;
  assert.ok(der);
  assert.equal(parseCertificate(der).notAfter, root.certificate.notAfter);
});

test("files that change are read again; what cannot be used leaves the last good one and says so, without the key", async () => {
  await using bench = await openBench();
  const [first, second] = [makeRoot(), makeRoot()];
  await bench.write("ca.pem", certificatePem(first.certificate));
  await bench.write("ca.key", first.keyPem);
  await using upstream = await bench.open();
  const rootNow = async (): Promise<Uint8Array | undefined> =>
    (await upstream.bundle()).roots[0]?.certificate;
  assert.deepEqual(await rootNow(), first.certificate.der);
  // Half a replacement: the key is another one's.
  await bench.write("ca.pem", certificatePem(second.certificate));
  assert.deepEqual(await rootNow(), first.certificate.der);
  assert.equal((await upstream.mint({ csr, ttlMs: DAY_MS })).chain.length, 1);
  await bench.write("ca.key", second.keyPem);
  assert.deepEqual(await rootNow(), second.certificate.der);
  assert.equal((await upstream.bundle()).isWhole, false);
  await bench.write("ca.key", second.keyPem.replaceAll("A", "B"));
  assert.deepEqual(await rootNow(), second.certificate.der);
  await rootNow();
  const told = bench.events.filter(({ event }) => event === "upstream_files.not_read");
  assert.equal(told.length, 2);
  assert.ok(told.every(({ error }) => isBonafideError(error, "UPSTREAM_AUTHORITY_INVALID")));
  const secret = second.keyPem.split("\n")[1] ?? "";
  assert.ok(
    !told.some(({ error }) => String(error instanceof Error && error.stack).includes(secret)),
  );
});

test("what cannot be an authority is refused at the start", async () => {
  await using bench = await openBench();
  const refused = async (code: string): Promise<void> => {
    await assert.rejects(bench.open(), (error) => isBonafideError(error, code));
  };
  await refused("UPSTREAM_AUTHORITY_UNAVAILABLE");
  const root = makeRoot();
  const leaf = root.issuer.issueLeaf({
    spki: generateKey("ec-p256").spki,
    uris: ["spiffe://example.org/a"],
    ...validity,
  });
  await bench.write("ca.key", root.keyPem);
  for (const text of [
    "",
    "no certificate",
    certificatePem(parseCertificate(leaf.der)),
    certificatePem(makeRoot().certificate),
    "x".repeat(2_000_000),
  ]) {
    await bench.write("ca.pem", text);
    await refused("UPSTREAM_AUTHORITY_INVALID");
  }
  await bench.write("ca.pem", certificatePem(root.certificate));
  await bench.write("ca.key", certificatePem(root.certificate));
  await refused("UPSTREAM_AUTHORITY_INVALID");
});
