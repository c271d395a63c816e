import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey, siteKey } from "./address-key.ts";

test("an IPv4 address counts by itself, however it is written", () => {
  assert.equal(addressKey("192.0.2.7"), "192.0.2.7");
  assert.equal(addressKey("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(addressKey("::FFFF:192.0.2.7"), "192.0.2.7");
});

test("IPv6 addresses of one /64 count as one, in every spelling", () => {
  const same = [
    "2001:db8:1:2::",
    "2001:db8:1:2::1",
    "2001:0DB8:0001:0002:ffff:ffff:ffff:ffff",
    "2001:db8:1:2:3:4:192.0.2.7",
  ];
  for (const address of same) assert.equal(addressKey(address), "2001:db8:1:2::/64");
  assert.equal(addressKey("2001:db8:1:3::1"), "2001:db8:1:3::/64");
  assert.equal(addressKey("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(addressKey("2001::1:2:3:4:5"), "2001:0:0:1::/64");
  assert.equal(addressKey("::1"), "0:0:0:0::/64");
  assert.equal(addressKey("fe80::1%eth0"), "fe80:0:0:0::/64");
});

test("IPv6 addresses of one /48 are one site, an IPv4 address is its own", () => {
  assert.equal(siteKey("2001:db8:1:2::1"), "2001:db8:1::/48");
  assert.equal(siteKey("2001:db8:1:ffff::"), "2001:db8:1::/48");
  assert.equal(siteKey("::ffff:192.0.2.7"), "192.0.2.7");
});

test("what is no address counts by itself and never throws", () => {
  for (const text of ["", "uid 0", ":", "a:b"]) assert.equal(typeof addressKey(text), "string");
  assert.notEqual(addressKey("a:b"), addressKey("a:c"));
});
