import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createTlsAcceptor, memberOf } from "@bonafide/spiffe";
import { authorizeConnections } from "./connections.ts";
import { Enforcer } from "./enforcer.ts";
import { Field, send } from "./testing/field.ts";
import { paymentsBundle } from "./testing/payments-org.ts";

test("who may not connect is refused before a byte is read, and told to nobody but us", async () => {
  using field = new Field();
  const enforcer = new Enforcer({
    service: "payments",
    bundle: { current: await paymentsBundle() },
    recordAllowedEvery: 1,
  });
  const refused: string[] = [];
  const acceptor = createTlsAcceptor(
    {
      source: field.domain.source("/ns/payments/api"),
      authorize: memberOf("example.org"),
      alpn: ["http/1.1"],
      onRefused: ({ error }) => refused.push(error.code),
    },
    authorizeConnections(enforcer, (socket) => {
      void once(socket, "data").then(() =>
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"),
      );
    }),
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  assert.equal((await send(port, field.agent("/ns/shop/admin"), "/")).body, "hi");
  await assert.rejects(send(port, field.agent("/ns/shop/checkout"), "/"));
  assert.deepEqual(refused, ["CALL_DENIED"]);
  assert.deepEqual(
    enforcer
      .takeRecords()
      .records.map(({ action, allowed, resource }) => [action, allowed, resource?.id]),
    [
      ["net.connect", true, "payments"],
      ["net.connect", false, "payments"],
    ],
  );
  await acceptor.close();
});
