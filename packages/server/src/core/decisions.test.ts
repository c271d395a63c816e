import assert from "node:assert/strict";
import { test } from "node:test";
import { configuredGrants, mayAdminister } from "./administration.ts";
import { agentRefusal } from "./agent-liveness.ts";
import { isTokenAttack, judgeToken, TOKEN_REPEAT_MS } from "./join-token.ts";
import { isSuperseded, newestSvid } from "./newest-svid.ts";
import { nextPageToken, pageRequest } from "./page.ts";
import { recoveryRefusal } from "./recovery.ts";
import { authorityValidity, leafValidity } from "./svid-validity.ts";

test("an agent SVID is live at or above its node's position, by epoch and then by n", () => {
  const node = { state: "live", validFrom: { epoch: 16, n: 10 } } as const;
  assert.equal(agentRefusal(node, { epoch: 16, n: 10 }), undefined);
  assert.equal(agentRefusal(node, { epoch: 32, n: 1 }), undefined);
  assert.equal(agentRefusal(node, { epoch: 16, n: 9 }), "AGENT_NOT_ATTESTED");
  assert.equal(agentRefusal(node, { epoch: 0, n: 99 }), "AGENT_NOT_ATTESTED");
  assert.equal(agentRefusal(node, undefined), "AGENT_NOT_ATTESTED");
  assert.equal(agentRefusal({ ...node, validFrom: undefined }, { epoch: 0, n: 1 }), undefined);
});

test("a banned, evicted or unknown node has no live SVID, however new", () => {
  const signedAt = { epoch: 9, n: 9 };
  assert.equal(agentRefusal({ state: "banned", validFrom: undefined }, signedAt), "AGENT_BANNED");
  assert.equal(
    agentRefusal({ state: "evicted", validFrom: undefined }, signedAt),
    "AGENT_NOT_ATTESTED",
  );
  assert.equal(agentRefusal(undefined, signedAt), "AGENT_NOT_ATTESTED");
});

test("a join token makes one node, and only its first key may repeat, for a while", () => {
  const fresh = { expiresAt: 1000, spent: undefined };
  const spent = { expiresAt: 1000, spent: { keyDigest: "k", at: 500 } };
  assert.deepEqual(judgeToken(fresh, "k", undefined, 999), { kind: "spend" });
  assert.deepEqual(judgeToken(fresh, "k", undefined, 1000), { kind: "refuse", reason: "expired" });
  assert.deepEqual(judgeToken(undefined, "k", undefined, 1), { kind: "refuse", reason: "unknown" });
  assert.deepEqual(judgeToken(spent, "k", "live", 500 + TOKEN_REPEAT_MS - 1), { kind: "repeat" });
  assert.deepEqual(judgeToken(spent, "k", "live", 500 + TOKEN_REPEAT_MS), {
    kind: "refuse",
    reason: "spent",
  });
  const stolen = judgeToken(spent, "other", "live", 501);
  assert.deepEqual(stolen, { kind: "refuse", reason: "spent-by-another-key" });
  for (const state of ["banned", "evicted", undefined] as const) {
    assert.deepEqual(judgeToken(spent, "k", state, 501), { kind: "refuse", reason: "node-gone" });
  }
  assert.ok(isTokenAttack("spent-by-another-key"));
  assert.ok(!isTokenAttack("expired"));
});

test("only the private socket and listed administrators administer; entries-only grants keep off reserved IDs", () => {
  const grants = configuredGrants(["spiffe://example.org/admin"]);
  const local = { kind: "local", uid: 0 } as const;
  const admin = { kind: "admin", spiffeId: "spiffe://example.org/admin" } as const;
  const other = { kind: "admin", spiffeId: "spiffe://example.org/other" } as const;
  const agent = { kind: "agent", spiffeId: "spiffe://example.org/admin" } as const;
  const reserved = { isReserved: true };
  for (const caller of [local, admin]) {
    assert.ok(mayAdminister(grants, caller, "write-entry", reserved));
    assert.ok(mayAdminister(grants, caller, "write-node", undefined));
  }
  for (const caller of [other, agent, { kind: "anonymous" } as const]) {
    assert.ok(!mayAdminister(grants, caller, "read", undefined));
  }
  const limited = [{ holder: other.spiffeId, scope: "entries" } as const];
  assert.ok(mayAdminister(limited, other, "read", reserved));
  assert.ok(mayAdminister(limited, other, "write-entry", { isReserved: false }));
  assert.ok(!mayAdminister(limited, other, "write-entry", reserved));
  assert.ok(!mayAdminister(limited, other, "write-token", undefined));
  const reader = [{ holder: "local", scope: "read" } as const];
  assert.ok(mayAdminister(reader, local, "read", undefined));
  assert.ok(!mayAdminister(reader, local, "write-entry", undefined));
});

test("recovery takes an expired SVID of a live node within the window, and nothing else", () => {
  const node = { state: "live", validFrom: { epoch: 16, n: 5 }, canReattest: false } as const;
  const presented = { serialNumber: "7", expiresAtMs: 1000 };
  const newest = presented;
  const signedAt = { epoch: 16, n: 6 };
  const facts = { node, signedAt, presented, newest, now: 1500, windowMs: 500 };
  assert.equal(recoveryRefusal(facts), undefined);
  assert.equal(recoveryRefusal({ ...facts, now: 1501 }), "window-passed");
  assert.equal(recoveryRefusal({ ...facts, windowMs: 0 }), "switched-off");
  assert.equal(recoveryRefusal({ ...facts, node: { ...node, canReattest: true } }), "reattestable");
  assert.equal(recoveryRefusal({ ...facts, node: { ...node, state: "banned" } }), "AGENT_BANNED");
  assert.equal(recoveryRefusal({ ...facts, node: undefined }), "AGENT_NOT_ATTESTED");
  assert.equal(recoveryRefusal({ ...facts, signedAt: { epoch: 16, n: 4 } }), "AGENT_NOT_ATTESTED");
  const later = { serialNumber: "8", expiresAtMs: 2000 };
  assert.equal(recoveryRefusal({ ...facts, newest: later }), "superseded");
  assert.equal(recoveryRefusal({ ...facts, newest: undefined }), undefined);
});

test("the newest SVID of a node is the one issued last, once it is used, or the one that ends last", () => {
  const first = { serialNumber: "1", expiresAtMs: 1000 };
  const second = { serialNumber: "2", expiresAtMs: 2000 };
  assert.equal(newestSvid(undefined, first, undefined), first);
  assert.equal(newestSvid(first, second, undefined), second);
  assert.equal(newestSvid(second, first, undefined), second);
  // After the lifetime was made shorter, what is issued next ends first.
  assert.equal(newestSvid(second, first, "1"), first);
});

test("of two SVIDs whose beginnings are known, the one that began later is newer, however short", () => {
  const long = { serialNumber: "1", expiresAtMs: 9000, beginsAtMs: 1000 };
  const short = { serialNumber: "2", expiresAtMs: 4000, beginsAtMs: 3000 };
  assert.equal(newestSvid(long, short, undefined), short);
  assert.equal(newestSvid(short, long, undefined), short);
  assert.equal(isSuperseded(long, short), true);
  assert.equal(isSuperseded(short, long), false);
  // A store keeps no beginnings; the next use of the same one tells its own.
  const { beginsAtMs: _, ...kept } = short;
  assert.equal(isSuperseded(long, kept), false);
  assert.equal(newestSvid(kept, short, undefined), short);
});

test("a leaf is backdated, whole seconds, never beyond its issuer, and never dead on arrival", () => {
  const now = 1_000_000_500;
  assert.deepEqual(leafValidity(now, 3_600_000, now + 1e9), {
    notBefore: 999_990_000,
    notAfter: 1_003_600_000,
  });
  assert.equal(leafValidity(now, 3_600_000, now + 60_000)?.notAfter, 1_000_060_000);
  assert.equal(leafValidity(now, 3_600_000, now + 400), undefined);
  assert.equal(leafValidity(now, 3_600_000, now - 1), undefined);
  assert.deepEqual(authorityValidity(now, 10_000), {
    notBefore: 999_990_000,
    notAfter: 1_000_010_000,
  });
});

test("a page token is of one list and names a row of it; anything else is refused", () => {
  const page = pageRequest(10, "rows-7", "rows");
  assert.deepEqual(page, { after: 7, limit: 10, paged: true, list: "rows" });
  assert.equal(nextPageToken(pageRequest(10, "", "rows"), 9), "rows-9");
  assert.equal(nextPageToken(page, undefined), "");
  assert.equal(nextPageToken(pageRequest(0, "", "rows"), 9), "");
  const digits = ["", "0", "x", "-1", "1.5", "01", "1e3", " 1", "1-", "1-2", "9007199254740992"];
  for (const bad of ["rows", "7", "others-7", "-7", ...digits.map((text) => `rows-${text}`)]) {
    assert.throws(() => pageRequest(1, bad, "rows"), { code: "PAGE_TOKEN_INVALID" }, bad);
  }
});
