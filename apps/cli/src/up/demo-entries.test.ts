import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BatchCreateEntryRequest,
  Entry,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { addService } from "@bonafide/rpc";
import { openTestServer } from "@bonafide/rpc/testing";
import { connectSocket } from "../clients/socket-client.ts";
import { ensureEntry } from "./demo-entries.ts";

const TRUST_DOMAIN = "example.org";
const WANTED = {
  spiffeId: { trustDomain: TRUST_DOMAIN, path: "/greeter" },
  parentId: { trustDomain: TRUST_DOMAIN, path: "/node" },
  selectors: [{ type: "launcher", value: "name:greeter" }],
  ttl: "60s",
};

test("an entry of the demo is made or found, and a refusal of the server ends the demo with its words", async () => {
  const asked: BatchCreateEntryRequest[] = [];
  const statuses = [{ code: 0 }, { code: 6, message: "exists" }, { code: 7, message: "reserved" }];
  await using opened = await openTestServer(() => "peer");
  addService(opened.server, Entry, {
    batchCreateEntry(request) {
      asked.push(request);
      const status = statuses.shift();
      return { results: status === undefined ? [] : [{ status }] };
    },
  });
  using server = connectSocket("server", { path: opened.path, source: "a test" });
  await ensureEntry(server, WANTED);
  await ensureEntry(server, WANTED);
  await assert.rejects(ensureEntry(server, WANTED), {
    code: "DEMO_FAILED",
    message: "the server refused the entry of /greeter: reserved",
  });
  await assert.rejects(ensureEntry(server, WANTED), { code: "DEMO_FAILED", message: /no answer/ });
  assert.equal(asked[0]?.entries[0]?.x509SvidTtl, 60);
  assert.equal(asked[0]?.entries[0]?.spiffeId?.path, "/greeter");
});
