import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObservedSelector, OmittedFact } from "@bonafide/plugin-api";
import { parseSpiffeId } from "@bonafide/spiffe";
import type { Entry, Selector } from "../entry.ts";
import { CAUSES, type CauseCode } from "./causes.ts";
import type { ForeignEntry, WhyFacts } from "./facts.ts";
import { why } from "./why.ts";

const AGENT = "spiffe://example.org/spire/agent/join_token/abc";
const OTHER_AGENT = "spiffe://example.org/spire/agent/join_token/other";

function selector(text: string): Selector {
  const colon = text.indexOf(":");
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

function observed(text: string): ObservedSelector {
  return { ...selector(text), grade: "user", source: "test" };
}

function omitted(fact: string, reason: OmittedFact["reason"], text: string): OmittedFact {
  return { fact, reason, text };
}

function entry(path: string, selectors: readonly string[], more: Partial<Entry> = {}): Entry {
  return {
    id: `e${path}`,
    spiffeId: parseSpiffeId(`spiffe://example.org${path}`),
    parentId: AGENT,
    selectors: selectors.map((text) => selector(text)),
    federatesWith: [],
    hint: "",
    revision: 7n,
    createdAt: 1n,
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
    ...more,
  };
}

function foreign(
  path: string,
  selectors: readonly string[],
  parentId: string,
  parent: ForeignEntry["parent"],
): ForeignEntry {
  return { entry: { ...entry(path, selectors), parentId }, parent };
}

/** A healthy agent, and a caller of uid 1000 that runs node. */
const HEALTHY: WhyFacts = {
  socketPath: "/run/bonafide/agent.sock",
  caller: { kind: "seen" },
  pid: 4242,
  selectors: [
    observed("unix:uid:1000"),
    observed("unix:user:node"),
    observed("unix:gid:1000"),
    observed("unix:path:/usr/bin/node"),
    observed("k8s:ns:default"),
  ],
  omitted: [],
  standing: { kind: "good" },
  freshness: { clockRefused: false, revision: 40n, nextSync: "at once, by push" },
  agentId: AGENT,
  nodeSelectors: [selector("k8s:cluster:blue")],
  entries: [],
  elsewhere: [],
};

interface Case {
  readonly name: string;
  readonly facts: Partial<WhyFacts>;
  /** A second fault of a higher rung, or a nearer entry that has nothing to do with it. */
  readonly decoy: Partial<WhyFacts>;
  readonly first: CauseCode;
  /** Literal values that the answer must name. */
  readonly names: readonly string[];
}

const NO_ENTRY: Partial<WhyFacts> = { entries: [] };
const BANNED: Partial<WhyFacts> = { standing: { kind: "banned", detail: "by uid 0" } };

const CASES: readonly Case[] = [
  {
    name: "1: the agent is not started",
    facts: { socket: { kind: "missing", path: "/run/x.sock", from: "SPIFFE_ENDPOINT_SOCKET" } },
    decoy: BANNED,
    first: "socket.missing",
    names: ["/run/x.sock", "SPIFFE_ENDPOINT_SOCKET", "agent run"],
  },
  {
    name: "3: the socket's folder is closed to the caller",
    facts: {
      socket: {
        kind: "not_permitted",
        path: "/run/b/agent.sock",
        component: "/run/b",
        ownerUid: 0,
        mode: 0o700,
      },
    },
    decoy: NO_ENTRY,
    first: "socket.not_permitted",
    names: ["/run/b", "uid 0", "0700"],
  },
  {
    name: "6: the security header is missing",
    facts: { caller: { kind: "header_missing", values: [] }, selectors: [] },
    decoy: NO_ENTRY,
    first: "protocol.header_missing",
    names: ["workload.spiffe.io: true"],
  },
  {
    name: "8: the agent is in a PID namespace of its own",
    facts: { caller: { kind: "outside_pid_namespace" }, selectors: [] },
    decoy: { entries: [entry("/a", ["unix:uid:0"])] },
    first: "caller.outside_pid_namespace",
    names: ["hostPID", "process 0"],
  },
  {
    name: "14: the agent's user namespace does not know the caller's user",
    facts: {
      caller: { kind: "id_unmapped", uid: "65534", gid: "65534", allMapped: false },
      selectors: [],
    },
    decoy: NO_ENTRY,
    first: "caller.id_unmapped",
    names: ["65534:65534", "not mapped", "user namespace of the host"],
  },
  {
    name: "14: the caller runs as nobody",
    facts: {
      caller: { kind: "id_unmapped", uid: "65534", gid: "65534", allMapped: true },
      selectors: [],
    },
    decoy: { entries: [entry("/a", ["unix:uid:65534"])] },
    first: "caller.id_unmapped",
    names: ["nobody", "a user and a group of its own"],
  },
  {
    name: "11: the caller changed its user after it connected",
    facts: {
      caller: { kind: "ids_changed", socketIds: "1000:1000", processIds: "0:0" },
      selectors: [],
    },
    decoy: BANNED,
    first: "caller.ids_changed",
    names: ["1000:1000", "0:0", "after dropping privileges"],
  },
  {
    name: "13: an entry wants a path that cannot be read",
    facts: {
      selectors: [observed("unix:uid:1000")],
      omitted: [omitted("unix:path", "attestor.not_readable", "EACCES, procfs has hidepid=2")],
      entries: [entry("/a", ["unix:uid:1000", "unix:path:/opt/app"])],
    },
    decoy: { ...BANNED },
    first: "attestor.not_readable",
    names: ["unix:path", "hidepid=2", "launcher:name"],
  },
  {
    name: "14: path discovery is switched off",
    facts: {
      selectors: [observed("unix:uid:1000")],
      omitted: [
        omitted("unix:path", "attestor.selector_disabled", "discover_path is false, default true"),
      ],
      entries: [entry("/a", ["unix:uid:1000", "unix:path:/opt/app"])],
    },
    decoy: { freshness: { ...HEALTHY.freshness, clockRefused: true, clockOffsetMs: 400_000 } },
    first: "attestor.selector_disabled",
    names: ["discover_path", "default true", "/opt/app"],
  },
  {
    name: "19: the program was replaced while it ran",
    facts: {
      selectors: [observed("unix:uid:1000")],
      omitted: [
        omitted("unix:sha256", "attestor.binary_replaced", "runs aaaa, the file there now is bbbb"),
      ],
      entries: [entry("/a", ["unix:uid:1000", "unix:sha256:aaaa"])],
    },
    decoy: { signingFailure: "the store is read-only" },
    first: "attestor.binary_replaced",
    names: ["Restart the workload", "aaaa", "bbbb"],
  },
  {
    name: "24: the join token had been used",
    facts: { standing: { kind: "token_used", detail: `at 10:00 by ${OTHER_AGENT}` } },
    decoy: { entries: [entry("/a", ["unix:uid:1001"])] },
    first: "agent.token_used",
    names: ["10:00", OTHER_AGENT, "token create"],
  },
  {
    name: "25: the server has another authority",
    facts: { standing: { kind: "bundle_mismatch", pinned: "aa11", presented: "bb22" } },
    decoy: { freshness: { ...HEALTHY.freshness, awaySince: "2026-11-22T00:00:00Z" } },
    first: "agent.bundle_mismatch",
    names: ["aa11", "bb22", "bundle show"],
  },
  {
    name: "27: the agent was off for longer than its SVID lived",
    facts: {
      standing: { kind: "svid_expired", expiredAt: "2026-11-01T00:00:00Z", canReattest: false },
    },
    decoy: { entries: [entry("/a", ["unix:uid:1001"])] },
    first: "agent.svid_expired",
    names: ["2026-11-01", "cannot attest again", "token create"],
  },
  {
    name: "28: the agent is banned",
    facts: { standing: { kind: "banned", detail: "by uid 0 at 10:00" } },
    decoy: { entries: [entry("/a", ["unix:uid:1001"])], signingFailure: "refused" },
    first: "agent.banned",
    names: ["by uid 0 at 10:00", "agent evict"],
  },
  {
    name: "33: the node's clock is ahead",
    facts: { freshness: { ...HEALTHY.freshness, clockRefused: true, clockOffsetMs: 412_300 } },
    decoy: { entries: [entry("/a", ["unix:uid:1001"])] },
    first: "clock.skew",
    names: ["+412.3", "ahead", "server"],
  },
  {
    name: "33: the node's clock is behind",
    facts: { freshness: { ...HEALTHY.freshness, clockRefused: true, clockOffsetMs: -301_000 } },
    decoy: NO_ENTRY,
    first: "clock.skew",
    names: ["-301.0", "behind"],
  },
  {
    name: "34: the entry was made a moment ago",
    facts: {
      elsewhere: [foreign("/new", ["unix:uid:1000"], AGENT, { kind: "this_agent" })],
      freshness: { ...HEALTHY.freshness, revision: 5n, nextSync: "in 3 s" },
    },
    decoy: { entries: [entry("/near", ["unix:uid:1000", "unix:gid:4"])] },
    first: "sync.not_yet_seen",
    names: ["revision 7", "revision 5", "in 3 s"],
  },
  {
    name: "36: there is no entry at all",
    facts: {},
    decoy: {
      entries: [entry("/foreign", ["docker:label:app:web", "systemd:id:x.service"])],
      signingFailure: "x",
    },
    first: "entry.none",
    names: ["entry create", "unix:uid:1000", AGENT],
  },
  {
    name: "37: the entry's parent is nobody",
    facts: {
      elsewhere: [
        foreign("/a", ["unix:uid:1000"], "spiffe://example.org/spire/agent/join_token/abd", {
          kind: "unknown",
          nearest: AGENT,
        }),
      ],
    },
    decoy: { entries: [entry("/near", ["unix:uid:1000", "unix:gid:4"])] },
    first: "entry.parent_unknown",
    names: ["join_token/abd", AGENT],
  },
  {
    name: "38: the entry belongs to another node",
    facts: { elsewhere: [foreign("/a", ["unix:uid:1000"], OTHER_AGENT, { kind: "agent" })] },
    decoy: { entries: [entry("/near", ["unix:uid:1000", "unix:gid:4"])] },
    first: "entry.other_node",
    names: [OTHER_AGENT, "alias"],
  },
  {
    name: "39: the entry belongs to this agent's earlier ID",
    facts: { elsewhere: [foreign("/a", ["unix:uid:1000"], OTHER_AGENT, { kind: "former_agent" })] },
    decoy: {
      elsewhere: [
        foreign("/a", ["unix:uid:1000"], OTHER_AGENT, { kind: "former_agent" }),
        foreign("/b", ["unix:uid:1000"], "spiffe://example.org/spire/agent/x", { kind: "agent" }),
      ],
    },
    first: "entry.parent_superseded",
    names: [OTHER_AGENT, AGENT, "alias"],
  },
  {
    name: "40: the entry's alias does not cover this node",
    facts: {
      elsewhere: [
        foreign("/a", ["unix:uid:1000"], "spiffe://example.org/cluster", {
          kind: "alias",
          id: "spiffe://example.org/cluster",
          selectors: [selector("k8s:cluster:green")],
        }),
      ],
    },
    decoy: { entries: [entry("/near", ["unix:uid:1000", "unix:gid:4"])] },
    first: "entry.alias_not_matched",
    names: ["k8s:cluster:green", "k8s:cluster:blue"],
  },
  {
    name: "42: the entry wants another uid",
    facts: { entries: [entry("/a", ["unix:uid:3000"])] },
    decoy: { entries: [entry("/a", ["unix:uid:3000"]), entry("/b", ["docker:label:x", "a:b"])] },
    first: "entry.selector_contradicted",
    names: ["unix:uid:3000", "unix:uid:1000"],
  },
  {
    name: "43: a kind is misspelt",
    facts: { entries: [entry("/a", ["unix:usr:node"])] },
    decoy: { entries: [entry("/a", ["unix:usr:node"]), entry("/b", ["unix:uid:77"])] },
    first: "entry.selector_unknown_kind",
    names: ["unix:usr", "unix:user:node"],
  },
  {
    name: "43: a value is misspelt",
    facts: { entries: [entry("/a", ["k8s:ns:defualt"])] },
    decoy: { entries: [entry("/a", ["k8s:ns:defualt"]), entry("/b", ["unix:uid:77"])] },
    first: "entry.selector_near_miss",
    names: ["k8s:ns:defualt", "k8s:ns:default"],
  },
  {
    name: "43: a name stands where a number belongs",
    facts: { entries: [entry("/a", ["unix:uid:node"])] },
    decoy: { entries: [entry("/a", ["unix:uid:node"]), entry("/b", ["unix:uid:77"])] },
    first: "entry.selector_near_miss",
    names: ["unix:uid:node", "unix:user:node"],
  },
  {
    name: "45: one selector too many",
    facts: {
      selectors: [...HEALTHY.selectors, observed("docker:image_id:new-image")],
      entries: [entry("/a", ["unix:uid:1000", "docker:image_id:old"])],
    },
    decoy: {
      entries: [
        entry("/a", ["unix:uid:1000", "docker:image_id:old"]),
        entry("/b", ["unix:uid:1", "unix:gid:1"]),
      ],
    },
    first: "entry.selector_extra",
    names: ["docker:image_id:old", "docker:image_id:new-image", "must hold"],
  },
  {
    name: "47: the entry names a script",
    facts: { entries: [entry("/a", ["unix:path:/usr/local/bin/app"])] },
    decoy: {
      entries: [
        entry("/a", ["unix:path:/usr/local/bin/app"]),
        entry("/b", ["unix:gid:1", "unix:uid:2"]),
      ],
    },
    first: "entry.path_is_interpreter",
    names: ["/usr/local/bin/app", "/usr/bin/node", "exec --as"],
  },
  {
    name: "49: a workload of the launcher was started by hand",
    facts: { entries: [entry("/a", ["unix:uid:1000", "launcher:name:greeter"])] },
    decoy: {
      entries: [
        entry("/a", ["unix:uid:1000", "launcher:name:greeter"]),
        entry("/b", ["unix:uid:61184", "launcher:name:other"]),
      ],
    },
    first: "entry.launcher_missing",
    names: ["launcher:name:greeter", "bonafide exec --as greeter --uid 1000 --", "4242"],
  },
];

for (const { name, facts, decoy, first, names } of CASES) {
  for (const [how, extra] of [
    ["alone", {}],
    ["with a decoy", decoy],
  ] as const) {
    test(`why ${name}, ${how}: ${first}`, () => {
      const answer = why({ ...HEALTHY, ...facts, ...extra });
      assert.equal(answer.first?.code, first);
      const { says, hint, command = "" } = answer.first;
      for (const value of names) {
        assert.ok(`${says} ${hint} ${command}`.includes(value), `${value} in: ${says} | ${hint}`);
      }
    });
  }
}

const FITS = entry("/a", ["unix:uid:1000"]);

const HEALTHY_CASES: Readonly<Record<string, Partial<WhyFacts>>> = {
  "one entry fits": { entries: [FITS] },
  "several entries fit": { entries: [FITS, entry("/b", ["unix:uid:1000", "unix:gid:1000"])] },
  "another entry is near": { entries: [FITS, entry("/b", ["unix:uid:1001"])] },
  "another entry is misspelt": { entries: [FITS, entry("/b", ["unix:usr:node"])] },
  "an unused fact could not be read": {
    entries: [FITS],
    omitted: [omitted("unix:path", "attestor.not_readable", "EACCES")],
  },
  "the server is away, and everything needed is here": {
    entries: [FITS],
    freshness: { ...HEALTHY.freshness, awaySince: "2026-11-22T00:00:00Z" },
  },
  "the clock differs a little": {
    entries: [FITS],
    freshness: { ...HEALTHY.freshness, clockOffsetMs: 31_000 },
  },
  "the wanted identity is one of them": { entries: [FITS], want: "spiffe://example.org/a" },
  "other nodes have entries like it": {
    entries: [FITS],
    elsewhere: [foreign("/b", ["unix:uid:1000"], OTHER_AGENT, { kind: "agent" })],
  },
  "an entry for a secret store is near": {
    entries: [FITS, entry("/s", ["unix:uid:1001"], { storeSvid: true })],
  },
};

for (const [name, facts] of Object.entries(HEALTHY_CASES)) {
  test(`nothing is wrong: ${name}`, () => {
    const answer = why({ ...HEALTHY, ...facts });
    assert.equal(answer.first?.code, undefined, answer.first?.says ?? "");
    assert.deepEqual(answer.also, []);
    assert.ok(answer.identities.includes("spiffe://example.org/a"));
  });
}

test("a wanted identity makes its entry the candidate, however far it is", () => {
  const answer = why({
    ...HEALTHY,
    entries: [FITS, entry("/far", ["unix:uid:3000", "unix:gid:3000"])],
    want: "spiffe://example.org/far",
  });
  assert.equal(answer.first?.code, "entry.selector_contradicted");
  assert.ok(answer.first.says.includes("unix:uid:3000"));
});

test("a wanted identity without an entry is named", () => {
  const answer = why({ ...HEALTHY, entries: [FITS], want: "spiffe://example.org/nobody" });
  assert.equal(answer.first?.code, "entry.none");
  assert.ok(answer.first.command?.includes("spiffe://example.org/nobody"));
});

test("a wanted identity of another trust domain is not proposed to be created here", () => {
  for (const want of ["spiffe://other.test/x", "spiffe://example.org.other.test/x"]) {
    const { first } = why({ ...HEALTHY, entries: [FITS], want });
    assert.equal(first?.code, "entry.none");
    assert.match(first.says, /another trust domain than this agent, whose is example\.org/);
    assert.equal(first.command, undefined);
  }
});

test("a server that did not sign is the cause only when an entry fits", () => {
  const failing = { ...HEALTHY, signingFailure: "the store is read-only" };
  assert.equal(why({ ...failing, entries: [FITS] }).first?.code, "signing.failed");
  assert.equal(why(failing).first?.code, "entry.none");
});

test("contradiction outranks absence within one entry", () => {
  const answer = why({
    ...HEALTHY,
    entries: [entry("/a", ["launcher:name:x", "unix:uid:3000", "unix:gid:1000"])],
  });
  assert.equal(answer.first?.code, "entry.selector_contradicted");
});

test("later causes are listed in the order of the ladder", () => {
  const answer = why({
    ...HEALTHY,
    caller: { kind: "gone" },
    ...BANNED,
    freshness: {
      clockRefused: true,
      clockOffsetMs: 400_000,
      revision: 0n,
      nextSync: "",
      awaySince: "x",
    },
  });
  const codes = [answer.first, ...answer.also].map((cause) => cause?.code);
  assert.deepEqual(codes, ["caller.gone", "agent.banned", "clock.skew"]);
});

test("an agent that never heard of its entries claims nothing about them", () => {
  const answer = why({ ...HEALTHY, standing: { kind: "not_attested", detail: "no token" } });
  assert.deepEqual([answer.first?.code, answer.also], ["agent.not_attested", []]);
});

test("every code of the table is on a rung of the ladder", () => {
  for (const [code, { rung, summary }] of Object.entries(CAUSES)) {
    assert.ok(rung >= 1 && rung <= 9, code);
    assert.ok(summary.length > 0, code);
  }
});

test("an alias is not said to face a node without selectors where nobody knows them", () => {
  const elsewhere = [
    foreign("/a", ["unix:uid:1000"], "spiffe://example.org/cluster", {
      kind: "alias",
      id: "spiffe://example.org/cluster",
      selectors: [selector("k8s:cluster:green")],
    }),
  ];
  const says = (nodeSelectors: readonly Selector[] | undefined): string => {
    const { nodeSelectors: _, ...known } = { ...HEALTHY, elsewhere };
    const facts = nodeSelectors === undefined ? known : { ...known, nodeSelectors };
    return why(facts).first?.says ?? "";
  };
  assert.match(says(undefined), /known to the server only/);
  assert.match(says([]), /no selectors/);
  assert.match(says([selector("k8s:cluster:blue")]), /has k8s:cluster:blue/);
});

const NEAR_MISS = entry("/web", ["unix:uid:1000", "k8s:ns:defualt"], {
  federatesWith: ["other.org"],
  hint: "in front",
});
const OTHERS = ["/b", "/c", "/d", "/e"].map((path, i) =>
  entry(path, [`unix:uid:${2000 + i}`, "unix:gid:7", "k8s:ns:x"]),
);

test("no command touches an entry before the operator said that it is the one", () => {
  const about = "--pid 4242";
  for (const wanted of ["unix:uid:1001", "k8s:ns:defualt", "unix:usr:node", "x:y"]) {
    const facts = { ...HEALTHY, about, entries: [entry("/a", ["unix:gid:1000", wanted])] };
    const { command = "" } = why(facts).first ?? {};
    assert.equal(command, "bonafide why --pid 4242 --want spiffe://example.org/a", wanted);
  }
});

test("a wanted entry is made anew with all that is known of it before the old one goes", () => {
  const want = NEAR_MISS.spiffeId;
  const { first } = why({ ...HEALTHY, entries: [NEAR_MISS], want });
  assert.equal(
    first?.command,
    `bonafide entry create --spiffe-id ${want} --parent-id ${AGENT} --selector unix:uid:1000 ` +
      "--selector k8s:ns:default --federates-with other.org --hint 'in front' " +
      "&& bonafide entry delete e/web",
  );
});

test("an entry that serves another process is never replaced: another is made beside it", () => {
  const want = NEAR_MISS.spiffeId;
  const { first } = why({ ...HEALTHY, entries: [NEAR_MISS], want, serving: new Set(["e/web"]) });
  assert.match(first?.command ?? "", /^bonafide entry create .*--selector k8s:ns:default/);
  assert.doesNotMatch(first?.command ?? "", /delete/);
  assert.match(first?.hint ?? "", /serves another process/);
});

function near(facts: Partial<WhyFacts>): readonly string[] {
  return why({ ...HEALTHY, ...facts }).nearest.map((each) => each.entry.id);
}

test("the nearest entries are a few, by the number of facts that differ, and none that fits", () => {
  assert.deepEqual(near({ entries: [...OTHERS, NEAR_MISS] }), ["e/web"]);
  assert.deepEqual(near({ entries: OTHERS }), ["e/b", "e/c", "e/d"]);
  assert.deepEqual(near({ entries: [...OTHERS, FITS] }), ["e/b", "e/c", "e/d"]);
  assert.deepEqual(near({ entries: [...OTHERS, NEAR_MISS], want: "spiffe://example.org/e" }), [
    "e/e",
  ]);
  assert.deepEqual(near({ entries: [entry("/far", ["docker:label:x"])] }), []);
});
