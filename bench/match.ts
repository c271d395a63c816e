import { type Entry, EntryIndex } from "@bonafide/agent/testing";
import { spiffeIdOf, parseTrustDomainName } from "@bonafide/spiffe";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

const FEW = 10_000;
const MANY = 1_000_000;

/** Enough to see that time does not grow; a tenth of the memory. */
const MANY_BRIEF = 100_000;

/** Entries of one program, each of another user. */
const PER_PROGRAM = 2;

/** Matches between two looks at the clock. */
const TURN = 200;

/** Turns of a window at least: the first ones only warm up. */
const TURNS_MIN = 20;

/** Programs between the callers of one turn and those of the next. */
const STRIDE = 7919;

const TD = parseTrustDomainName("example.org");

/** How an agent finds the entries of a caller. */
export const benches: readonly Bench[] = [
  {
    // Among a million entries, against ten thousand: time of one caller's match.
    name: "selector-match",
    unit: "us",
    target: { of: "ratio", atMost: 2 },
    run: (options) => Promise.resolve(measure(options)),
  },
];

function measure({ windowMs, brief }: WindowOptions): Sample {
  const few = indexOf(FEW);
  const many = indexOf(brief ? MANY_BRIEF : MANY);
  let [fastFew, fastMany] = [Infinity, Infinity];
  const begun = performance.now();
  // In turns, and the fastest of each: what else the machine does only adds.
  for (let turn = 0; turn < TURNS_MIN || performance.now() - begun < windowMs; turn++) {
    fastFew = Math.min(fastFew, match(few, turn));
    fastMany = Math.min(fastMany, match(many, turn));
  }
  return sampleOf((fastMany * 1000) / TURN, (fastFew * 1000) / TURN);
}

/** Matches callers spread over all programs, others each turn. @returns how long it took, ms */
function match(index: EntryIndex, turn: number): number {
  const programs = index.size / PER_PROGRAM;
  const callers = Array.from({ length: TURN }, (_, i) =>
    callerOf(Math.floor((i * programs) / TURN + turn * STRIDE) % programs, i % PER_PROGRAM),
  );
  let found = 0;
  const begun = performance.now();
  for (const caller of callers) found += index.match(caller).length;
  const took = performance.now() - begun;
  if (found !== TURN) throw new Error(`${found} entries found for ${TURN} callers`);
  return took;
}

function indexOf(count: number): EntryIndex {
  return new EntryIndex(Array.from({ length: count }, (_, i) => entryOf(i)));
}

function entryOf(i: number): Entry {
  const program = Math.floor(i / PER_PROGRAM);
  return {
    id: `entry-${i}`,
    spiffeId: spiffeIdOf(TD, "program", String(program), String(i % PER_PROGRAM)),
    selectors: [
      { type: "unix", value: `path:/srv/${program}/bin` },
      { type: "unix", value: `uid:${1000 + (i % PER_PROGRAM)}` },
      { type: "unix", value: "group:services" },
    ],
    federatesWith: [],
    hint: "",
    revision: 0n,
    createdAt: BigInt(i),
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
  };
}

/** What is observed of a process, most of which no entry asks for. */
function callerOf(program: number, user: number): Entry["selectors"] {
  const values = [
    `path:/srv/${program}/bin`,
    `uid:${1000 + user}`,
    "group:services",
    "gid:100",
    `user:u${user}`,
    "supplementary_gid:101",
    "supplementary_group:more",
    `sha256:${String(program).padStart(64, "0")}`,
    `cgroup:/system.slice/${program}.service`,
  ];
  return values.map((value) => ({ type: "unix", value }));
}
