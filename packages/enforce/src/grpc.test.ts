import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createGrpcAcceptor, grpcCredentials, type TlsAcceptor } from "@bonafide/spiffe";
import {
  Client,
  Metadata,
  type sendUnaryData,
  Server,
  type ServerUnaryCall,
  status,
} from "@grpc/grpc-js";
import type { VerifiedUser } from "./core/verified-user.ts";
import { Enforcer, type EnforcerOptions } from "./enforcer.ts";
import { authorizeGrpc, type GrpcAuthorizeOptions } from "./grpc.ts";
import { Field } from "./testing/field.ts";
import { paymentsBundle } from "./testing/payments-org.ts";

const bundle = { current: await paymentsBundle() };
const [CHECKOUT, WEB] = ["/ns/shop/checkout", "/ns/web/x"];

test("what is permitted reaches the handler, the rest ends with PERMISSION_DENIED", async () => {
  await using site = await GrpcSite.open();
  assert.equal(await site.call(CHECKOUT, "SayHello"), "hello");
  assert.equal(await site.call(WEB, "SayHello"), status.PERMISSION_DENIED);
  assert.equal(site.handled, 1);
  const [record] = site.enforcer.takeRecords().records;
  assert.equal(record?.action, "grpc.call");
  assert.equal(record?.resource?.id, "payments/test.Greeter/SayHello");
  assert.equal(record?.reason, "no_permit");
  assert.equal(record?.sourceIp, "127.0.0.1");
});

test("a method that nobody registered reaches nothing", async () => {
  await using site = await GrpcSite.open();
  assert.equal(await site.call(CHECKOUT, "SayNothing"), status.UNIMPLEMENTED);
  assert.equal(await site.call(CHECKOUT, "sayhello"), status.UNIMPLEMENTED);
  assert.equal(site.handled, 0);
});

test("without a bundle calls end with UNAVAILABLE", async () => {
  await using site = await GrpcSite.open({ bundle: { current: undefined } });
  assert.equal(await site.call(CHECKOUT, "SayHello"), status.UNAVAILABLE);
  assert.equal(site.handled, 0);
});

test("on behalf of a user both decide, and a token that is not proven denies", async () => {
  await using site = await GrpcSite.open({}, { user: userOf });
  assert.equal(await site.call(CHECKOUT, "SayMore", "alice"), "hello");
  assert.equal(await site.call(CHECKOUT, "SayMore", "bob"), status.PERMISSION_DENIED);
  assert.equal(await site.call(CHECKOUT, "SayMore", "bad"), status.PERMISSION_DENIED);
  assert.equal(await site.call(CHECKOUT, "SayMore"), status.PERMISSION_DENIED);
  assert.equal(site.handled, 1);
});

function method(name: string) {
  return {
    path: `/test.Greeter/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string): Buffer => Buffer.from(text),
    requestDeserialize: (bytes: Buffer): string => String(bytes),
    responseSerialize: (text: string): Buffer => Buffer.from(text),
    responseDeserialize: (bytes: Buffer): string => String(bytes),
  } as const;
}

class GrpcSite implements AsyncDisposable {
  readonly enforcer: Enforcer;
  readonly #field = new Field();
  readonly #server: Server;
  readonly #acceptor: TlsAcceptor;
  readonly #clients: Client[] = [];
  #port = 0;
  handled = 0;

  private constructor(options: Partial<EnforcerOptions>, grpc: GrpcAuthorizeOptions) {
    this.enforcer = new Enforcer({ service: "payments", bundle, ...options });
    this.#server = new Server({ interceptors: [authorizeGrpc(this.enforcer, grpc)] });
    const answer = (_: ServerUnaryCall<string, string>, done: sendUnaryData<string>): void => {
      this.handled++;
      done(null, "hello");
    };
    this.#server.addService(
      { sayHello: method("SayHello"), sayMore: method("SayMore") },
      { sayHello: answer, sayMore: answer },
    );
    const { domain, authorize } = this.#field;
    const source = domain.source("/ns/payments/api");
    this.#acceptor = createGrpcAcceptor(this.#server, { source, authorize });
  }

  static async open(
    options: Partial<EnforcerOptions> = {},
    grpc: GrpcAuthorizeOptions = {},
  ): Promise<GrpcSite> {
    const site = new GrpcSite(options, grpc);
    site.#port = await site.#acceptor.listen({ port: 0, host: "127.0.0.1" });
    return site;
  }

  /** The answer, or the status of a failed call. */
  call(caller: string, name: string, user?: string): Promise<string | number> {
    const { domain, authorize } = this.#field;
    const credentials = grpcCredentials({ source: domain.source(caller), authorize });
    const client = new Client(`127.0.0.1:${this.#port}`, credentials, {
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#clients.push(client);
    const { path, requestSerialize, responseDeserialize } = method(name);
    const metadata = new Metadata();
    if (user !== undefined) metadata.set("x-user", user);
    return new Promise((resolve) => {
      const handle = (error: { readonly code: number } | null, text?: string): void =>
        resolve(error === null ? (text ?? "") : error.code);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, "x", metadata, handle);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#acceptor.close();
    this.#server.forceShutdown();
    this.#field[Symbol.dispose]();
  }
}

async function userOf(metadata: Metadata): Promise<VerifiedUser | undefined> {
  const [name] = metadata.get("x-user");
  if (name === undefined) return undefined;
  if (name === "bad") throw new Error("not proven");
  const expiresAt = Date.now() + 60_000;
  return { user: String(name), actors: [], scopes: [], expiresAt };
}
