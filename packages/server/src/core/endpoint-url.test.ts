import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { checkEndpointUrl } from "./endpoint-url.ts";

test("FED-15, FED-27 (Federation §5.2.1.1, §5.2.2.1): an endpoint's URL is https, with a host and no user information", () => {
  for (const good of [
    "https://other.org",
    "https://other.org/",
    "https://other.org:8443/a/b?c=d",
    "https://192.0.2.1/bundle",
    "https://[2001:db8::1]:8443/",
    "HTTPS://other.org/at@path",
  ]) {
    assert.equal(checkEndpointUrl(good), good);
  }
  for (const bad of [
    "",
    "other.org/bundle",
    "http://other.org/bundle",
    "https:other.org",
    "https:/other.org",
    "https://",
    "https:///bundle",
    "https://u@other.org/b",
    "https://u:p@other.org/b",
    "https://@other.org/b",
    "https://:@other.org/b",
    "https://ot her.org",
    "https://other.org/\n",
    " https://other.org",
    "https://other.org/#fragment",
    "https://other.org:99999/",
    "https://öther.org/",
    `https://other.org/${"a".repeat(2048)}`,
    "spiffe://other.org",
    "file:///etc/passwd",
  ]) {
    assert.throws(
      () => checkEndpointUrl(bad),
      (error) => isBonafideError(error, "FEDERATION_INVALID"),
      bad,
    );
  }
});
