import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage } from "node:http";
import { request, type RequestOptions } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { connect } from "node:tls";
import { isBonafideError } from "@bonafide/errors";
import { systemClock } from "@bonafide/lifetime";
import { TestCa } from "@bonafide/pki/testing";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import type { FederationRelationshipSchema } from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import {
  parseSpiffeBundle,
  parseTrustDomainName,
  type SpiffeBundle,
  verifyX509Svid,
  x509BundleSetOf,
} from "@bonafide/spiffe";
import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { nextRotation, prepareBeforeMs, spreadMs } from "./core/authority-rotation.ts";
import { bundleOf } from "./core/bundle.ts";
import { followWebCertificate, readWebCertificate } from "./federation/web-certificate.ts";
import { failureOf, openTestServer, TD, type TestServer } from "./testing/test-server.ts";

type Relationship = Exclude<MessageInitShape<typeof FederationRelationshipSchema>, Message>;

const SPIFFE_ENDPOINT = { host: "127.0.0.1", port: 0, profile: { kind: "https_spiffe" } } as const;

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

async function get(srv: TestServer, path: string, options: RequestOptions = {}): Promise<Answer> {
  const asked = request({
    host: "127.0.0.1",
    port: srv.server.bundleEndpointPort,
    path,
    rejectUnauthorized: false,
    agent: false,
    ...options,
  });
  asked.end();
  const [response] = await once(asked, "response");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node's event carries
  const { statusCode = 0, headers } = response as IncomingMessage;
  let text = "";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same
  for await (const part of response as IncomingMessage) text += String(part);
  return { status: statusCode, headers, text };
}

async function documentOf(srv: TestServer, trustDomain = TD): Promise<SpiffeBundle> {
  return parseSpiffeBundle(parseTrustDomainName(trustDomain), (await get(srv, "/")).text);
}

test("FED-01, FED-11, FED-19, FED-20, FED-21, FED-22, FED-23 (Federation §4, §5.2): anybody gets the document by GET of /, and nothing else", async () => {
  await using srv = await openTestServer({ options: { bundleEndpoint: SPIFFE_ENDPOINT } });
  const { status, headers, text } = await get(srv, "/");
  assert.deepEqual(
    [status, headers["content-type"], headers.connection],
    [200, "application/json", "close"],
  );
  const bundle = parseSpiffeBundle(parseTrustDomainName(TD), text);
  const wire = await srv.remote(Bundle).getBundle({});
  assert.equal(bundle.sequence, wire.sequenceNumber);
  assert.equal(bundle.refreshHintSeconds, 300);
  assert.deepEqual(
    bundle.x509.authorities.map(({ der }) => der),
    wire.x509Authorities.map(({ asn1 }) => asn1),
  );
  assert.deepEqual(
    bundle.jwtAuthorities.map(({ keyId }) => keyId),
    wire.jwtAuthorities.map(({ keyId }) => keyId),
  );
  assert.equal((await get(srv, "/other")).status, 404);
  for (const method of ["HEAD", "POST", "DELETE"]) {
    assert.equal((await get(srv, "/", { method })).status, 405);
  }
});

test("FED-02 (Federation §4.1): a JWT key and an authority stand in the document before anything is signed by them", async () => {
  await using srv = await openTestServer({ options: { bundleEndpoint: SPIFFE_ENDPOINT } });
  const { x509, jwtAuthorities } = await documentOf(srv);
  assert.deepEqual([x509.authorities.length, jwtAuthorities.length], [1, 1]);
  const authorities = (await srv.store.authorities.list()).map(({ object }) => object);
  const prepared = bundleOf(authorities.map((object) => ({ ...object, state: "prepared" })));
  assert.deepEqual([prepared.x509.length, prepared.jwt.length], [1, 1]);
});

test("FED-04 (Federation §4.1): an authority leaves the bundle only at its own end, which no SVID of it outlives", () => {
  const end = 1_000_000_000;
  const old = {
    id: "a",
    state: "old",
    notBefore: 0,
    notAfter: end,
    preparedAt: 0,
    canSign: true,
    isOurs: true,
    isToReplace: false,
  } as const;
  const active = { ...old, id: "b", state: "active", notAfter: 100 * end } as const;
  const step = (now: number): string =>
    nextRotation([old, active], now, { recoveryWindowMs: 0, forcedSpreadMs: 0 }).kind;
  assert.equal(step(end - 1), "wait");
  assert.notEqual(step(end), "wait");
});

test("FED-03 (Federation §4.1): by default an authority is published at least three refresh hints before it signs", () => {
  const caTtlMs = 7 * 86_400_000;
  assert.ok(spreadMs(caTtlMs) >= 3 * 300_000);
  assert.ok(prepareBeforeMs(caTtlMs) > spreadMs(caTtlMs));
});

test("FED-12, FED-31 (Federation §5, §5.2.2.3): the endpoint shows the server's X509-SVID, by TLS 1.2 with forward secrecy or 1.3", async () => {
  await using srv = await openTestServer({ options: { bundleEndpoint: SPIFFE_ENDPOINT } });
  const handshake = async (options: object): Promise<string> => {
    const socket = connect({
      host: "127.0.0.1",
      port: srv.server.bundleEndpointPort,
      rejectUnauthorized: false,
      ...options,
    });
    try {
      await once(socket, "secureConnect");
      const chain = [socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)];
      const bundles = x509BundleSetOf([srv.server.bundle()]);
      const { id } = verifyX509Svid(chain, bundles, { now: Date.now() });
      return `${socket.getProtocol()} ${id}`;
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : "";
    } finally {
      socket.destroy();
    }
  };
  const id = `spiffe://${TD}/spire/server`;
  assert.equal(await handshake({}), `TLSv1.3 ${id}`);
  assert.equal(await handshake({ maxVersion: "TLSv1.2" }), `TLSv1.2 ${id}`);
  for (const refused of [
    { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" },
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" },
    { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" },
  ]) {
    assert.match(await handshake(refused), /^(ERR_SSL|ECONNRESET|ERR_TLS)/);
  }
});

test("FED-18 (Federation §5.2.1.3): with https_web the certificate from the files is shown, and another one once they change; what cannot be used leaves the last good one", async () => {
  const folder = mkdtempSync("/tmp/bf-web-");
  const files = {
    certificateFile: join(folder, "tls.crt"),
    keyFile: join(folder, "tls.key"),
  };
  const ca = new TestCa("spiffe://web.test");
  const write = (dnsName: string): void => {
    const { chainPem, keyPem } = ca.issue("spiffe://web.test/host", { dnsNames: [dnsName] });
    writeFileSync(files.certificateFile, chainPem);
    writeFileSync(files.keyFile, keyPem);
  };
  try {
    await assert.rejects(readWebCertificate(files), (error) =>
      isBonafideError(error, "WEB_CERTIFICATE_UNUSABLE"),
    );
    write("one.test");
    {
      const profile = { kind: "https_web", ...files } as const;
      const bundleEndpoint = { ...SPIFFE_ENDPOINT, profile };
      await using srv = await openTestServer({ options: { bundleEndpoint } });
      const proven = { rejectUnauthorized: true, ca: ca.pem, servername: "one.test" };
      assert.equal((await get(srv, "/", proven)).status, 200);
    }
    const first = await readWebCertificate(files);
    const shown: unknown[] = [];
    const logged: string[] = [];
    let turns = 0;
    const ending = new AbortController();
    const clock = {
      ...systemClock,
      now: () => Date.now(),
      monotonicMs: () => 0,
      sleep: async () => {
        turns += 1;
        if (turns === 2) writeFileSync(files.keyFile, "no key");
        if (turns === 4) write("two.test");
        if (turns === 6) ending.abort();
        await setTimeout(0);
      },
    };
    const log = ({ event }: { readonly event: string }): void => void logged.push(event);
    await followWebCertificate(
      files,
      { clock, log },
      first,
      (next) => shown.push(next),
      ending.signal,
    );
    assert.deepEqual(logged, ["web_certificate.not_reloaded", "web_certificate.reloaded"]);
    assert.deepEqual(shown, [await readWebCertificate(files)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("FED-10, FED-13, FED-29 (Federation §5, §5.1, §5.2.2.2): two servers federate over https_spiffe from a first bundle, and nothing of a relationship is guessed", async () => {
  await using there = await openTestServer({
    options: { trustDomain: "other.org", bundleEndpoint: SPIFFE_ENDPOINT },
  });
  await using srv = await openTestServer();
  const client = srv.local(TrustDomain);
  const url = `https://localhost:${there.server.bundleEndpointPort}/`;
  const first = { ...(await there.local(Bundle).getBundle({})), sequenceNumber: 1n };
  const spiffe: Relationship["bundleEndpointProfile"] = {
    case: "httpsSpiffe",
    value: { endpointSpiffeId: "spiffe://other.org/spire/server" },
  };
  const whole: Relationship = {
    trustDomain: "other.org",
    bundleEndpointUrl: url,
    bundleEndpointProfile: spiffe,
    trustDomainBundle: first,
  };
  const bad: readonly [number, Relationship][] = [
    [3, { ...whole, trustDomain: "" }],
    [3, { ...whole, trustDomain: TD }],
    [3, { ...whole, bundleEndpointUrl: "" }],
    [3, { ...whole, bundleEndpointUrl: "http://other.org/" }],
    [3, { trustDomain: "other.org", bundleEndpointUrl: url }],
    [3, { ...whole, bundleEndpointProfile: { case: "httpsSpiffe", value: {} } }],
    [3, { ...whole, trustDomainBundle: { ...first, trustDomain: "third.org" } }],
    [9, { trustDomain: "other.org", bundleEndpointUrl: url, bundleEndpointProfile: spiffe }],
    [0, whole],
    [6, whole],
  ];
  for (const [code, relationship] of bad) {
    const { results } = await client.batchCreateFederationRelationship({
      federationRelationships: [relationship],
    });
    assert.equal(results[0]?.status?.code, code, results[0]?.status?.message ?? "");
  }
  await client.refreshBundle({ trustDomain: "other.org" });
  const { trustDomainBundle } = await client.getFederationRelationship({
    trustDomain: "other.org",
  });
  const { sequenceNumber } = await there.local(Bundle).getBundle({});
  assert.equal(trustDomainBundle?.sequenceNumber, sequenceNumber);

  const masked = await client.batchUpdateFederationRelationship({
    federationRelationships: [
      { trustDomain: "other.org", bundleEndpointUrl: "https://localhost:1/" },
      { trustDomain: "third.org", bundleEndpointUrl: "https://localhost:1/" },
    ],
    inputMask: { bundleEndpointUrl: true },
    outputMask: { bundleEndpointProfile: true },
  });
  assert.deepEqual(
    masked.results.map(({ status, federationRelationship: now }) => [
      status?.code,
      now?.bundleEndpointUrl,
      now?.bundleEndpointProfile.case,
    ]),
    [
      [0, "", "httpsSpiffe"],
      [5, undefined, undefined],
    ],
  );
  const failure = await failureOf(client.refreshBundle({ trustDomain: "other.org" }));
  assert.deepEqual([failure.status, failure.code], ["unavailable", "BUNDLE_FETCH_FAILED"]);
  const kept = await srv.local(Bundle).getFederatedBundle({ trustDomain: "other.org" });
  assert.equal(kept.sequenceNumber, sequenceNumber);
});

test("relationships are listed by page, deleted one by one, and closed to all but administrators", async () => {
  await using srv = await openTestServer();
  const client = srv.local(TrustDomain);
  const names = ["a.org", "b.org", "c.org"];
  await client.batchCreateFederationRelationship({
    federationRelationships: names.map((trustDomain) => ({
      trustDomain,
      bundleEndpointUrl: "https://localhost:1/",
      bundleEndpointProfile: { case: "httpsWeb", value: {} },
    })),
  });
  const first = await client.listFederationRelationships({ pageSize: 2 });
  const { nextPageToken: pageToken } = first;
  const rest = await client.listFederationRelationships({ pageSize: 2, pageToken });
  assert.deepEqual(
    [...first.federationRelationships, ...rest.federationRelationships].map((r) => r.trustDomain),
    names,
  );
  const bundlesToken = client.listFederationRelationships({ pageToken: "bundles-1" });
  assert.equal((await failureOf(bundlesToken)).code, "PAGE_TOKEN_INVALID");
  const { results } = await client.batchDeleteFederationRelationship({
    trustDomains: ["a.org", "a.org", "x.org", ""],
  });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    [0, 5, 5, 3],
  );
  const unknown = client.getFederationRelationship({ trustDomain: "a.org" });
  assert.equal((await failureOf(unknown)).code, "FEDERATION_NOT_FOUND");
  const node = await srv.join();
  for (const svid of [node, undefined]) {
    const refused = srv.remote(TrustDomain, svid).listFederationRelationships({});
    assert.equal((await failureOf(refused)).status, "permission_denied");
  }
});
