import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { generateKey, jwsSigner, keySigner, publicKeyOf } from "@bonafide/pki";
import { Metadata } from "@grpc/grpc-js";
import {
  bearerCallCredentials,
  bearerFetch,
  bearerOf,
  jwtBundleOf,
  type JwtSvidSource,
  parseJwtSvid,
  parseSpiffeId,
  parseTrustDomainName,
  signJwtSvid,
  verifyBearer,
  type VerifyBearerOptions,
  verifyGrpcBearer,
  verifyJwtSvid,
} from "../index.ts";

const AUDIENCE = "spiffe://example.org/db";
const WEB = parseSpiffeId("spiffe://example.org/web");
const td = parseTrustDomainName("example.org");
const signer = jwsSigner(keySigner(generateKey("ec-p256").privateKey));
const bundles = new Map([[td, jwtBundleOf(td, [{ keyId: "k", publicKey: publicKeyOf(signer) }])]]);

/** Signs for whoever asks, and judges as a source does. */
const source: JwtSvidSource = {
  fetch: (audience) => {
    const times = { issuedAt: Date.now(), expiresAt: Date.now() + 60_000 };
    const token = signJwtSvid(signer, "k", { id: WEB, audience: [audience], ...times });
    return Promise.resolve(parseJwtSvid(token));
  },
  verify: (token, { audience }) => verifyJwtSvid(token, bundles, { audience, now: Date.now() }),
};
const options: VerifyBearerOptions = {
  source,
  audience: AUDIENCE,
  authorize: ({ id }) => id === WEB,
};
const missing = (error: unknown): boolean => isBonafideError(error, "BEARER_MISSING");

/** A `fetch` that keeps what it was asked. */
function recording(): { readonly fetch: typeof fetch; readonly sent: RequestInit[] } {
  const sent: RequestInit[] = [];
  return {
    sent,
    fetch: (_url, init = {}) => {
      sent.push(init);
      return Promise.resolve(new Response("ok"));
    },
  };
}

suite("showing a JWT-SVID", () => {
  test("JWT-13, JWT-09 (JWT-SVID §5.2, §3.2): a request carries a bearer token for one audience", async () => {
    const { fetch, sent } = recording();
    const send = bearerFetch(source, { audience: AUDIENCE, fetch });
    const response = await send("https://db.example.org/", { headers: { accept: "text/plain" } });
    assert.equal(await response.text(), "ok");
    const headers = new Headers(sent[0]?.headers);
    assert.equal(headers.get("accept"), "text/plain");
    const svid = parseJwtSvid(bearerOf(headers.get("authorization") ?? ""));
    assert.deepEqual(svid.audience, [AUDIENCE]);
    assert.equal(sent[0]?.redirect, "error");
  });

  test("JWT-18 (JWT-SVID §7.3): over https only, and no caller can send it elsewhere by a redirect", async () => {
    const { fetch, sent } = recording();
    const send = bearerFetch(source, { audience: AUDIENCE, fetch });
    for (const url of ["http://db.example.org/", "http://localhost/", "data:text/plain,x"]) {
      await assert.rejects(send(url), (error) => isBonafideError(error, "BEARER_EXPOSED"));
    }
    assert.equal(sent.length, 0);
    await send(new URL("https://db.example.org/"), { redirect: "follow" });
    assert.equal(sent[0]?.redirect, "error");
  });

  test("JWT-14 (JWT-SVID §5.3): a gRPC call carries it in its metadata", async () => {
    const credentials = bearerCallCredentials(source, { audience: AUDIENCE });
    const metadata = await credentials.generateMetadata({
      service_url: "https://db/svc",
      method_name: "Get",
    });
    assert.equal(metadata.get("authorization").length, 1);
    assert.equal(verifyGrpcBearer({ metadata }, options).id, WEB);
    metadata.add("authorization", "Bearer a.b.c");
    assert.throws(() => verifyGrpcBearer({ metadata }, options), missing);
    assert.throws(() => verifyGrpcBearer({ metadata: new Metadata() }, options), missing);
  });
});

suite("taking a JWT-SVID", () => {
  test("one token in one header, spelled as the standard says", async () => {
    const { token } = await source.fetch(AUDIENCE);
    for (const value of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`]) {
      assert.equal(bearerOf(value), token);
    }
    const others = [` Bearer ${token}`, `Bearer ${token},`, `Bearer\t${token}`, `Bearer ${token}=`];
    others.push("", token, "Bearer", "Bearer ", `Basic ${token}`, `Bearer ${token} x`);
    for (const value of [undefined, ...others]) {
      assert.throws(() => bearerOf(value), missing);
    }
    for (const values of [[], [`Bearer ${token}`, `Bearer ${token}`]]) {
      assert.throws(() => bearerOf(values), missing);
    }
  });

  test("a server knows its caller by it, or refuses", async () => {
    const verdicts: unknown[] = [];
    const judge = (request: IncomingMessage): void => {
      try {
        verdicts.push(verifyBearer(request, options).id);
      } catch (error) {
        verdicts.push(isBonafideError(error) ? error.code : error);
      }
    };
    const server = createServer((request, response) => {
      judge(request);
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const ask = async (...values: readonly string[]): Promise<void> => {
      const headers = ["host", "db", ...values.flatMap((value) => ["authorization", value])];
      const ended = Promise.withResolvers<void>();
      const request = get({ host: "127.0.0.1", port, agent: false, headers }, (response) => {
        response.resume().once("end", ended.resolve);
      });
      request.once("error", ended.reject);
      await ended.promise;
    };
    const ours = await source.fetch(AUDIENCE);
    const elsewhere = await source.fetch("spiffe://example.org/other");
    await ask(`Bearer ${ours.token}`);
    await ask(`Bearer ${elsewhere.token}`);
    await ask(`Bearer ${ours.token}`, `Bearer ${ours.token}`);
    await ask("Basic x");
    server.close();
    await once(server, "close");
    assert.deepEqual(verdicts, [WEB, "JWT_SVID_UNTRUSTED", "BEARER_MISSING", "BEARER_MISSING"]);
  });

  test("verified is not admitted: only a plain yes is one", async () => {
    const { token } = await source.fetch(AUDIENCE);
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    const answers: readonly (() => boolean)[] = [
      () => false,
      () => {
        throw new Error("no");
      },
      // @ts-expect-error -- a caller without types
      () => "yes",
    ];
    for (const authorize of answers) {
      assert.throws(
        () => verifyGrpcBearer({ metadata }, { ...options, authorize }),
        (error) => isBonafideError(error, "PEER_NOT_AUTHORIZED"),
      );
    }
  });
});
