import assert from "node:assert/strict";
import { test } from "node:test";
import { checkKind, foreignTypes, selectorOf } from "./selector-flag.ts";
import { wireId } from "./spiffe-id-flag.ts";

test("an ID that is none is refused by what it was given as, its value and the rule it breaks", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["example.org/web", /^--parent-id "example.org\/web" .*mean spiffe:\/\/example.org\/web\?$/],
    ["spiffe://example.org/a/", /it ends with a slash$/],
    ["spiffe://EXAMPLE.org/a", /a trust domain is made of a-z/],
    [`spiffe://example.org/${"a".repeat(3000)}`, /longer than 2048 bytes$/],
    ["spiffe://example.org/a\nb", /a\\nb/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => wireId(text, "--parent-id"), {
      code: "SPIFFE_ID_INVALID",
      message,
    });
  }
  assert.deepEqual(wireId("spiffe://example.org/a", "x"), {
    trustDomain: "example.org",
    path: "/a",
  });
});

test("a selector of a kind that nobody observes is refused with the nearest that somebody does", () => {
  const refused: Readonly<Record<string, RegExp>> = {
    "unix:udi:1000": /did you mean unix:uid:\.\.\.\? .*--any-selector/,
    "uinx:uid:1000": /did you mean unix:uid/,
    "myown:x": /no agent is known to observe myown; Known types are unix, launcher/,
    "ns:net:host": /kinds of ns are user, pid, mnt/,
  };
  for (const [text, message] of Object.entries(refused)) {
    assert.throws(
      () => {
        checkKind(selectorOf(text));
      },
      { code: "USAGE", message },
      text,
    );
  }
  for (const text of ["unix:uid:0", "launcher:name:web", "ns:pid:host", "k8s:ns:prod"]) {
    checkKind(selectorOf(text));
  }
});

test("kinds that only agents of SPIRE observe are told apart from ours", () => {
  const selectors = ["unix:uid:0", "k8s:ns:prod", "k8s:sa:web", "docker:label:x"].map(selectorOf);
  assert.deepEqual(foreignTypes(selectors), ["k8s", "docker"]);
});
