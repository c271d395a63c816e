import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { type EndpointAddress, endpointAddress, parseEndpointAddress } from "./endpoint-address.ts";

const accepted: readonly (readonly [string, EndpointAddress])[] = [
  ["unix:///tmp/agent.sock", { kind: "unix", path: "/tmp/agent.sock" }],
  ["unix:/tmp/agent.sock", { kind: "unix", path: "/tmp/agent.sock" }],
  ["unix:///tmp/a%20b.sock", { kind: "unix", path: "/tmp/a b.sock" }],
  ["tcp://127.0.0.1:8000", { kind: "tcp", host: "127.0.0.1", port: 8000 }],
  ["tcp://[::1]:8000", { kind: "tcp", host: "::1", port: 8000 }],
];
for (const [text, address] of accepted) {
  test(`WLE-09, WLE-10, WLE-11 (Workload Endpoint §4): accepts ${text}`, () => {
    assert.deepEqual(parseEndpointAddress(text), address);
  });
}

const refused = {
  "WLE-09": [
    "",
    "/tmp/agent.sock",
    "http://127.0.0.1:80",
    "UNIX:///a",
    "Tcp://127.0.0.1:1",
    "unix",
  ],
  "WLE-10": [
    "unix:",
    "unix://",
    "unix:tmp/a.sock",
    "unix://tmp/a.sock",
    "unix://user@/p",
    "unix:///p?x=1",
    "unix:///p#f",
    "unix:///p%00q",
    "unix:///p%zz",
    `unix:///${"a".repeat(107)}`,
  ],
  "WLE-11": [
    "tcp:",
    "tcp://",
    "tcp:127.0.0.1:1",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:",
    "tcp://localhost:8000",
    "tcp://host.example:1",
    "tcp://1.2.3.4:8000/foo",
    "tcp://1.2.3.4:8000/",
    "tcp://u@1.2.3.4:1",
    "tcp://1.2.3.4:1?x",
    "tcp://1.2.3.4:1#f",
    "tcp://1.2.3.4:70000",
    "tcp://1.2.3.4:0",
    "tcp://1.2.3.4:080",
    "tcp://1.2.3.400:80",
    "tcp://[1.2.3.4]:80",
    "tcp://::1:80",
    "tcp://[::1%25lo]:80",
    "tcp://1.2.3.4:80\n",
  ],
};
for (const [id, texts] of Object.entries(refused)) {
  for (const text of texts) {
    test(`${id} (Workload Endpoint §4): refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseEndpointAddress(text),
        (error) => isBonafideError(error, "ENDPOINT_ADDRESS_INVALID"),
      );
    });
  }
}

test("WLE-08 (Workload Endpoint §4): the explicit address beats the environment, and neither is an error", () => {
  const environment = { SPIFFE_ENDPOINT_SOCKET: "unix:///env.sock" };
  assert.deepEqual(endpointAddress("unix:///a.sock", environment), {
    kind: "unix",
    path: "/a.sock",
  });
  assert.deepEqual(endpointAddress(undefined, environment), { kind: "unix", path: "/env.sock" });
  assert.throws(
    () => endpointAddress(undefined, {}),
    (error) => isBonafideError(error, "ENDPOINT_ADDRESS_MISSING"),
  );
  assert.throws(
    () => endpointAddress("", environment),
    (error) => isBonafideError(error, "ENDPOINT_ADDRESS_INVALID"),
  );
});
