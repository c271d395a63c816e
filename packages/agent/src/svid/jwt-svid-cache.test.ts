import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { BonafideError } from "@bonafide/errors";
import { silentLog } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { generateKey, jwsSigner, keySigner } from "@bonafide/pki";
import { parseJwtSvid, parseSpiffeId, signJwtSvid } from "@bonafide/spiffe";
import type { Entry } from "../core/entry.ts";
import { parseUidOwners } from "../core/subordinate-uids.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { JWT_SIGNINGS_PER_UID_MAX, JWT_SVIDS_MAX } from "../limits.ts";
import type { SignJwtResult } from "../server/sign-jwt-svid.ts";
import { UidLimits } from "../workload/uid-limits.ts";
import { JwtSvidCache } from "./jwt-svid-cache.ts";

const OWNERS = parseUidOwners("alice:100000:10\n", "alice:x:1000:1000::/:\n");
const START = 1_800_000_000_000;
const signer = jwsSigner(keySigner(generateKey("ec-p256").privateKey));
const signal = new AbortController().signal;

function entry(path: string, more: Partial<Entry> = {}): Entry {
  return {
    id: path,
    spiffeId: parseSpiffeId(`spiffe://example.org${path}`),
    selectors: [],
    federatesWith: [],
    hint: "",
    revision: 1n,
    createdAt: 1n,
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
    ...more,
  };
}

/** A cache over a server that signs for 300 s, and what a test may change of the world. */
function bench(): {
  readonly cache: JwtSvidCache;
  readonly world: {
    now: number;
    keyId: string;
    isDown: boolean;
    isSilent: boolean;
    /** What happens while the server is asked. */
    meanwhile: () => void;
    keys: Set<string>;
    tainted: Set<string>;
    tokenId: string | undefined;
  };
  readonly signed: () => number;
  readonly token: (of: Entry, audience?: readonly string[], uid?: number) => Promise<string>;
} {
  const world = {
    now: START,
    keyId: "a",
    isDown: false,
    isSilent: false,
    meanwhile: () => {},
    keys: new Set(["a", "b"]),
    tainted: new Set<string>(),
    tokenId: undefined as string | undefined,
  };
  const limits = new UidLimits(new ManualClock(0), { keysASecond: 1, keysBurst: 2000 }, OWNERS);
  let count = 0;
  const cache = new JwtSvidCache({
    log: silentLog,
    takeToken: (uid) => {
      limits.takeToken(uid);
    },
    ownerOf: (uid) => OWNERS.ownerOf(uid),
    serverNow: () => world.now,
    isGood: (keyId) => world.keys.has(keyId) && !world.tainted.has(keyId),
    sign: ({ entry: of, audience }): Promise<SignJwtResult> => {
      count++;
      world.meanwhile();
      if (world.isSilent) return new Promise(() => {});
      if (world.isDown) {
        return Promise.reject(new BonafideError(AGENT_ERRORS, "AGENT_NOT_READY", "down"));
      }
      const unique = world.tokenId === undefined ? {} : { tokenId: world.tokenId };
      const times = { issuedAt: world.now, expiresAt: world.now + 300_000 };
      const token = signJwtSvid(signer, world.keyId, {
        id: of.spiffeId,
        audience,
        ...times,
        ...unique,
      });
      return Promise.resolve({ kind: "signed", svid: parseJwtSvid(token) });
    },
  });
  const token = async (
    of: Entry,
    audience: readonly string[] = ["x"],
    uid = 0,
  ): Promise<string> => {
    const result = await cache.fetch(of, audience, { signal, uid });
    assert.equal(result.kind, "signed");
    return result.kind === "signed" ? result.svid.token : "";
  };
  return { cache, world, signed: () => count, token };
}

suite("JWT-SVIDs that are kept", () => {
  test("one is given again until half of its life is over", async () => {
    const { world, signed, token } = bench();
    const first = await token(entry("/a"));
    world.now += 149_000;
    assert.equal(await token(entry("/a")), first);
    world.now += 1000;
    assert.notEqual(await token(entry("/a")), first);
    assert.equal(signed(), 2);
  });

  test("each entry, each of its revisions and each set of audiences has its own", async () => {
    const { signed, token } = bench();
    await token(entry("/a"), ["x", "y"]);
    await token(entry("/a"), ["y", "x"]);
    assert.equal(signed(), 1);
    await token(entry("/b"), ["x", "y"]);
    await token(entry("/a"), ["x"]);
    await token(entry("/a", { revision: 2n }), ["x", "y"]);
    await token(entry("/c", { id: "/a" }), ["x", "y"]);
    assert.equal(signed(), 5);
  });

  test("while the server does not answer the kept one is given, to its end and no longer", async () => {
    const { world, token } = bench();
    const first = await token(entry("/a"));
    world.isDown = true;
    world.now += 299_000;
    assert.equal(await token(entry("/a")), first);
    world.now += 1000;
    await assert.rejects(token(entry("/a")), { code: "AGENT_NOT_READY" });
  });

  test("those of a tainted or revoked key leave the memory when the bundle says so", async () => {
    const { cache, world, token } = bench();
    await token(entry("/a"));
    await token(entry("/b"));
    cache.dropBad();
    assert.equal(cache.size, 2);
    world.tainted.add(world.keyId);
    cache.dropBad();
    assert.equal(cache.size, 0);
  });

  test("none of a tainted key is given any more, not even while the server is down", async () => {
    const { world, token } = bench();
    const first = await token(entry("/a"));
    world.tainted.add("a");
    world.keyId = "b";
    const second = await token(entry("/a"));
    assert.notEqual(second, first);
    world.tainted.add("b");
    world.isDown = true;
    await assert.rejects(token(entry("/a")), { code: "AGENT_NOT_READY" });
  });

  test("one whose key is tainted while the server is asked in vain is not given", async () => {
    const { world, token } = bench();
    await token(entry("/a"));
    world.now += 200_000;
    world.isDown = true;
    world.meanwhile = () => world.tainted.add("a");
    await assert.rejects(token(entry("/a")), { code: "AGENT_NOT_READY" });
  });

  test("tokens that are one of their kind are never kept", async () => {
    const { cache, signed, token } = bench();
    const unique = entry("/a", { jwtSvidIncludeJti: true });
    await token(unique);
    await token(unique);
    assert.deepEqual([signed(), cache.size], [2, 0]);
  });

  test("a token with an ID is not kept, whatever the entry says", async () => {
    const { cache, signed, token, world } = bench();
    world.tokenId = "1";
    await token(entry("/a"));
    await token(entry("/a"));
    assert.deepEqual([signed(), cache.size], [2, 0]);
  });

  test("callers at the same time share a signature, and the oldest unused goes first", async () => {
    const { cache, signed, token } = bench();
    await Promise.all(Array.from({ length: 20 }, () => token(entry("/a"))));
    assert.equal(signed(), 1);
    const first = await token(entry("/a"));
    for (let i = 0; i < JWT_SVIDS_MAX; i++) {
      await token(entry("/b"), [`${i}`]);
      if (i === 10) assert.equal(await token(entry("/a")), first);
    }
    assert.equal(cache.size, JWT_SVIDS_MAX);
    assert.equal(await token(entry("/a")), first);
    cache.close();
    assert.equal(cache.size, 0);
  });

  for (const jwtSvidIncludeJti of [false, true]) {
    const kind = jwtSvidIncludeJti ? "tokens of their kind" : "kept tokens";
    test(`a user has ${kind} signed at a bounded rate, with all its subordinate uids`, async () => {
      const { signed, token } = bench();
      const of = entry("/a", { jwtSvidIncludeJti });
      for (let i = 0; i < 2000; i++) await token(of, [`${i}`], 100_000 + (i % 10));
      await assert.rejects(token(of, ["more"], 1000), { code: "CALLER_LIMIT_EXCEEDED" });
      assert.equal(signed(), 2000);
      await token(of, ["more"], 2000);
      await token(of, ["yet more"], 0);
    });

    test(`a server that is silent is asked for a bounded number of ${kind} by a user`, async () => {
      const { signed, token, world } = bench();
      world.isSilent = true;
      const of = entry("/a", { jwtSvidIncludeJti });
      for (let i = 0; i < JWT_SIGNINGS_PER_UID_MAX; i++) void token(of, [`${i}`], 1000);
      await assert.rejects(token(of, ["more"], 100_001), { code: "CALLER_LIMIT_EXCEEDED" });
      assert.equal(signed(), JWT_SIGNINGS_PER_UID_MAX);
      world.isSilent = false;
      await token(of, ["more"], 2000);
    });
  }

  test("a kept token is given to a user who has used up its share", async () => {
    const { token, world } = bench();
    const first = await token(entry("/a"), ["x"], 1000);
    for (let i = 1; i < 2000; i++) {
      await token(entry("/b", { jwtSvidIncludeJti: true }), [`${i}`], 1000);
    }
    world.now += 200_000;
    assert.equal(await token(entry("/a"), ["x"], 1000), first);
  });

  test("a user who fills the memory displaces its own tokens, and long ones are not kept", async () => {
    const { cache, signed, token } = bench();
    const first = await token(entry("/a"), ["x"], 2000);
    for (let i = 0; i < JWT_SVIDS_MAX + 100; i++) await token(entry("/b"), [`${i}`], 1000);
    assert.equal(await token(entry("/a"), ["x"], 2000), first);
    assert.equal(cache.size, JWT_SVIDS_MAX);
    const long = Array.from({ length: 4 }, (_, i) => `${i}`.repeat(2048));
    const before = signed();
    await token(entry("/c"), long);
    await token(entry("/c"), long);
    assert.equal(signed(), before + 2);
  });

  test("none of a key that has left the bundle is given any more", async () => {
    const { world, token } = bench();
    await token(entry("/a"));
    world.keys.delete("a");
    world.isDown = true;
    await assert.rejects(token(entry("/a")), { code: "AGENT_NOT_READY" });
  });
});
