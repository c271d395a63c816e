import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import type { TlsOptions } from "node:tls";
import { isBonafideError } from "@bonafide/errors";
import { systemClock } from "@bonafide/lifetime";
import { TestCa } from "@bonafide/pki/testing";
import { parseSpiffeId, type X509BundleSet } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { createFetchDocument } from "./fetch-document.ts";
import { openPeer, svidIdentity } from "./testing/peer.ts";

const DOCUMENT = '{"keys":[]}';
const NOBODY = new AbortController().signal;
const other = new TestTrustDomain("other.org");
const SERVER_ID = parseSpiffeId("spiffe://other.org/spire/server");
const web = new TestCa("spiffe://web.test");

function webIdentity(dnsName: string, ca = web, notAfter = Date.now() + 3_600_000): TlsOptions {
  const { chainPem, keyPem } = ca.issue("spiffe://web.test/host", {
    dnsNames: [dnsName],
    notBefore: Math.min(Date.now(), notAfter) - 60_000,
    notAfter,
  });
  return { cert: chainPem, key: keyPem };
}

function setOf(...domains: readonly TestTrustDomain[]): X509BundleSet {
  return new Map(domains.map(({ trustDomain, bundle }) => [trustDomain, bundle]));
}

const sends: RequestListener = (_request, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end(DOCUMENT);
};

const fetchDocument = createFetchDocument({ webRoots: web.pem, clock: systemClock });

async function reasonOf(fetching: Promise<unknown>): Promise<string> {
  try {
    await fetching;
  } catch (error) {
    assert.ok(isBonafideError(error, "BUNDLE_FETCH_FAILED"), String(error));
    return error.details["reason"] ?? "";
  }
  return "";
}

test("FED-10, FED-16, FED-24 (Federation §5.2.1): https_web takes a certificate of a trusted root for the host, and no other", async () => {
  const proof = { kind: "https_web" } as const;
  await using peer = await openPeer(webIdentity("localhost"), sends);
  const fetched = (): Promise<string> => fetchDocument({ url: peer.url, proof }, NOBODY);
  assert.equal(await fetched(), DOCUMENT);
  peer.present(webIdentity("elsewhere.test"));
  assert.equal(await reasonOf(fetched()), "ERR_TLS_CERT_ALTNAME_INVALID");
  peer.present(webIdentity("localhost", new TestCa("spiffe://web.test")));
  assert.match(await reasonOf(fetched()), /SIGNATURE|VERIFY|ISSUER/);
  peer.present(webIdentity("localhost", web, Date.now() - 60_000));
  assert.equal(await reasonOf(fetched()), "CERT_HAS_EXPIRED");
  // FED-37: that it would prove itself by the other profile helps nobody.
  peer.present(svidIdentity(other.issue("/spire/server")));
  assert.notEqual(await reasonOf(fetched()), "");
});

test("FED-32, FED-33, FED-37 (Federation §5.2.2.4): https_spiffe takes exactly the ID, by its own domain's bundle of the moment, under any host name", async () => {
  await using peer = await openPeer(svidIdentity(other.issue("/spire/server")), sends);
  const fetched = (bundles: X509BundleSet): Promise<string> =>
    fetchDocument(
      { url: peer.url, proof: { kind: "https_spiffe", id: SERVER_ID, bundles } },
      NOBODY,
    );
  assert.equal(await fetched(setOf(other)), DOCUMENT);
  peer.present(svidIdentity(other.issue("/another")));
  assert.equal(await reasonOf(fetched(setOf(other))), "PEER_NOT_AUTHORIZED");
  const third = new TestTrustDomain("third.org");
  peer.present(svidIdentity(third.forge(SERVER_ID)));
  assert.notEqual(await reasonOf(fetched(setOf(other))), "");
  assert.notEqual(await reasonOf(fetched(setOf(other, third))), "");
  peer.present(webIdentity("localhost"));
  assert.notEqual(await reasonOf(fetched(setOf(other))), "");

  const rotating = new TestTrustDomain("other.org");
  const bootstrap = setOf(rotating);
  rotating.rotateAuthority();
  const newer = setOf(rotating);
  peer.present(svidIdentity(rotating.issue("/spire/server")));
  assert.notEqual(await reasonOf(fetched(bootstrap)), "");
  assert.equal(await fetched(newer), DOCUMENT);
});

test("FED-34 (Federation §5.2.2.4): no redirect is followed, so nobody but the configured ID is ever asked", async () => {
  let asked = 0;
  const redirects: RequestListener = (request, response) => {
    asked += 1;
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { location: `https://${request.headers.host}/200` }).end(DOCUMENT);
  };
  await using peer = await openPeer(svidIdentity(other.issue("/spire/server")), redirects);
  const proof = { kind: "https_spiffe", id: SERVER_ID, bundles: setOf(other) } as const;
  for (const status of [301, 302, 303, 307, 308]) {
    const url = new URL(`/${status}`, peer.url);
    assert.equal(await reasonOf(fetchDocument({ url, proof }, NOBODY)), "redirected");
  }
  assert.equal(asked, 5);
});

test("an answer that is no document, too long, encoded, cut off or late is refused, and bounded", async () => {
  const answers: Readonly<Record<string, RequestListener>> = {
    "/status": (_request, response) => response.writeHead(500).end(),
    "/encoded": (_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
    "/long": (_request, response) => response.writeHead(200).end(Buffer.alloc(1_048_577, 32)),
    "/text": (_request, response) => response.writeHead(200).end(Buffer.from([0xff, 0xfe])),
    "/cut": (_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => response.destroy());
    },
    "/header": (_request, response) => response.writeHead(200, { x: "y".repeat(20_000) }).end(),
    "/silent": () => {},
  };
  await using peer = await openPeer(webIdentity("localhost"), (request, response) => {
    answers[request.url ?? ""]?.(request, response);
  });
  const proof = { kind: "https_web" } as const;
  const fetched = (path: string, signal = NOBODY): Promise<string> =>
    fetchDocument({ url: new URL(path, peer.url), proof }, signal);
  assert.equal(await reasonOf(fetched("/status")), "status");
  assert.equal(await reasonOf(fetched("/encoded")), "encoded");
  assert.equal(await reasonOf(fetched("/long")), "too-long");
  assert.equal(await reasonOf(fetched("/text")), "ERR_ENCODING_INVALID_ENCODED_DATA");
  assert.equal(await reasonOf(fetched("/cut")), "ECONNRESET");
  assert.equal(await reasonOf(fetched("/header")), "HPE_HEADER_OVERFLOW");
  const leaving = new AbortController();
  const silent = fetched("/silent", leaving.signal);
  leaving.abort(new Error("the server leaves"));
  await assert.rejects(silent);
});
