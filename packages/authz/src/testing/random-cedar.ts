import type { CedarValueJson, EntityJson, Expr, PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { Random } from "./random.ts";

// Random policies, entities and requests in Cedar's JSON forms: every operator, mostly well typed, often wrong.

type Uid = { type: string; id: string };

/** A request in Cedar's JSON form. */
export interface RequestJson {
  readonly principal: Uid;
  readonly action: Uid;
  readonly resource: Uid;
  readonly context: Record<string, CedarValueJson>;
  /** The part of the world's entities that is shown; Cedar reads them again at each request, so it is small. */
  readonly entities: EntityJson[];
}

/** Policies and entities with requests about them. */
export interface RandomWorld {
  readonly policies: Record<string, PolicyJson>;
  readonly requests: readonly RequestJson[];
}

type Kind =
  | "bool"
  | "long"
  | "string"
  | "entity"
  | "set"
  | "record"
  | "ip"
  | "decimal"
  | "datetime"
  | "duration";

const KINDS: readonly Kind[] = [
  "bool",
  "long",
  "string",
  "entity",
  "set",
  "record",
  "ip",
  "decimal",
  "datetime",
  "duration",
];

const TYPES = ["User", "Group", "Ns::Doc"];
const IDS = ["a", "b", 'q"', "ü"];
const ACTIONS: readonly Uid[] = ["view", "edit", "all", "some"].map((id) => ({
  type: "Action",
  id,
}));
const UIDS: readonly Uid[] = TYPES.flatMap((type) => IDS.map((id) => ({ type, id })));
const LONGS = [0, 1, -1, 2, 3, 7, 100, -5, 86_400_000, 2 ** 31, -(2 ** 31), 2 ** 53 - 1];
const STRINGS = ["", "a", "b", "ab", "aab", "a*b", "*", "\\", "äß€😀", "abab", "a\nb", "x/y/z"];
const IPS = [
  ..."0.0.0.0|127.0.0.1|127.1.2.3/8|127.0.0.0/7|10.0.0.0/8|10.1.2.3|10.1.2.3/32|10.1.2.3/24".split(
    "|",
  ),
  ..."10.0.0.1/8|224.0.0.1|239.1.1.1/4|224.0.0.0/3|255.255.255.255|1.2.3.4/0|::/0|::|::1|::1/127".split(
    "|",
  ),
  ..."::ffff:7f00:1|fe80::1|FE80::1/10|ff02::1|ff00::/8|ff00::/7|1:2:3:4:5:6:7:8|1::8|1:2:3:4:5:6:7::".split(
    "|",
  ),
  ..."::2:3:4:5:6:7:8|2001:db8::/32|2001:db8::1|0:0:0:0:0:0:0:1".split("|"),
];
const NO_IPS = [
  ..."|1.2.3|1.2.3.4.5|01.2.3.4|256.1.1.1|1.2.3.4/33|1.2.3.4/|1.2.3.4/01|1.2.3.4/+8".split("|"),
  ..." 1.2.3.4|1.2.3.4 |::ffff:1.2.3.4|::1::|:::|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9".split("|"),
  ..."1:2:3:4:5:6:7::8|12345::|::1/129|::1%eth0|g::|:1|1:|0.0.0.0/00|1.2.3.4/8/8|/8|/".split("|"),
  ..."::/|1..2.3|0x1.2.3.4|::1/0128|[::1]".split("|"),
];
const DECIMALS = [
  ..."0.0|1.0|1.00|1.23|-1.23|-0.5|0.0001|-0.0001|12.3456|922337203685477.5807".split("|"),
  ..."-922337203685477.5808|00001.10|-0.0|999999999.9999".split("|"),
];
const NO_DECIMALS = [
  ..."1|1.|.5|1.23456|922337203685477.5808|-922337203685477.5809|+1.0|1.0 |1e3.0|--1.0".split("|"),
  ..."99999999999999999999.0|1.2.3|- 1.0|1,0|٣.٣|".split("|"),
];
const DATETIMES = [
  ..."2024-01-01|1970-01-01|1969-12-31|2024-02-29|0000-01-01|0001-01-01|9999-12-31".split("|"),
  ..."2024-10-15T11:38:02Z|2024-10-15T11:38:02.101Z|2024-10-15T11:38:02.101-1134".split("|"),
  ..."2024-10-15T11:38:02+1134|1969-12-31T23:59:59.999Z|2000-02-29T00:00:00+0000".split("|"),
  ..."2024-10-15T11:38:02+2359|0000-01-01T00:00:00+2359|9999-12-31T23:59:59.999-2359".split("|"),
];
const NO_DATETIMES = [
  ..."|2024|2024-1-1|2023-02-29|1900-02-29|2024-13-01|2024-00-01|2024-01-00|2024-04-31".split("|"),
  ..."2024-01-01T|2024-01-01T00:00:00|2024-01-01T24:00:00Z|2024-01-01T00:60:00Z".split("|"),
  ..."2024-01-01T00:00:60Z|2024-01-01T00:00:00.1Z|2024-01-01T00:00:00.1234Z".split("|"),
  ..."2024-01-01T00:00:00+24:00|2024-01-01T00:00:00+2400|2024-01-01T00:00:00+0060".split("|"),
  ..."2024-01-01t00:00:00z|2024-01-01T00:00:00z| 2024-01-01|2024-01-01Z|-001-01-01".split("|"),
  ..."10000-01-01|2024-01-01T00:00:00ZZ|2024-01-01T00:00Z|2024-01-01 00:00:00Z".split("|"),
];
const DURATIONS = [
  ..."1ms|0ms|1s|1m|1h|1d|1d2h3m4s5ms|-1d|-1h30m|90m|24h|-86400000ms|3m2ms|0d0h|007s".split("|"),
  ..."9223372036854775807ms|-9223372036854775808ms|106751991167d|-5s|1d1ms|25h".split("|"),
];
const NO_DURATIONS = [
  ..."|-|1|1x|ms|1h1d|1ms1s|+1h|1.5h|1h |9223372036854775808ms|-9223372036854775809ms".split("|"),
  ..."106751991168d|1d-1h|--1h|1dd|1h1h|99999999999999999999999999999999d|d".split("|"),
];
const ATTRIBUTES: Readonly<Record<string, Kind>> = {
  flag: "bool",
  n: "long",
  "long name": "long",
  s: "string",
  e: "entity",
  l: "set",
  r: "record",
  ip: "ip",
  dec: "decimal",
  at: "datetime",
  for: "duration",
};
const NAMES = Object.keys(ATTRIBUTES);
/** Names that a path of attributes can hold in Cedar's text form. */
const WORDS = NAMES.filter((name) => !name.includes(" "));

const value = (json: CedarValueJson): Expr => ({ Value: json });
const call = (name: string, ...args: Expr[]): Expr => ({ [name]: args });

/** Makes a world with this many requests. */
export function randomWorld(random: Random, requests: number): RandomWorld {
  const policies: Record<string, PolicyJson> = {};
  const count = 1 + random.below(10);
  for (let i = 0; i < count; i++) policies[`p${i}`] = randomPolicy(random);
  const entities = randomEntities(random);
  return {
    policies,
    requests: Array.from({ length: requests }, () => {
      const [principal, action, resource] = [
        random.pick(UIDS),
        random.pick(ACTIONS),
        random.pick(UIDS),
      ];
      const shown = entities.filter(({ uid }) => {
        const named = uid === principal || uid === action || uid === resource;
        return random.chance(named ? 85 : 7);
      });
      const context = random.chance(60) ? randomAttributes(random, 0) : {};
      return { principal, action, resource, context, entities: shown };
    }),
  };
}

function randomEntities(random: Random): EntityJson[] {
  const actions = ACTIONS.map((uid, index) => ({
    uid,
    attrs: {},
    parents: random.some(ACTIONS.slice(index + 1)),
  }));
  const others = UIDS.map((uid, index) => ({
    uid,
    attrs: randomAttributes(random, 0),
    // Parents stand behind their children, so there are no circles.
    parents: UIDS.slice(index + 1).filter(() => random.chance(25)),
    tags: random.chance(30) ? randomAttributes(random, 1) : {},
  }));
  return [...actions, ...others];
}

function randomAttributes(random: Random, depth: number): Record<string, CedarValueJson> {
  const attributes: Record<string, CedarValueJson> = {};
  const left = random.pick(depth === 0 ? [50, 80, 85, 90] : [80, 90]);
  for (const [name, kind] of Object.entries(ATTRIBUTES)) {
    if (random.chance(left)) continue;
    attributes[name] = randomValue(random, random.chance(6) ? random.pick(KINDS) : kind, depth);
  }
  return attributes;
}

function randomValue(random: Random, kind: Kind, depth: number): CedarValueJson {
  switch (kind) {
    case "bool":
      return random.chance(50);
    case "long":
      return random.pick(LONGS);
    case "string":
      return random.pick(STRINGS);
    case "entity":
      return { __entity: random.pick([...UIDS, ...ACTIONS]) };
    case "set":
      return random.several(0, 3, () => {
        const inner = random.chance(60) ? "string" : depth < 2 ? random.pick(KINDS) : "long";
        return randomValue(random, inner, depth + 1);
      });
    case "record":
      return depth < 2 ? randomAttributes(random, depth + 1) : {};
    case "ip":
      return { __extn: { fn: "ip", arg: random.pick(IPS) } };
    case "decimal":
      return { __extn: { fn: "decimal", arg: random.pick(DECIMALS) } };
    case "datetime":
      return { __extn: { fn: "datetime", arg: random.pick(DATETIMES) } };
    default:
      return { __extn: { fn: "duration", arg: random.pick(DURATIONS) } };
  }
}

function randomPolicy(random: Random): PolicyJson {
  const conditions = random.several(0, 2, () => ({
    kind: random.chance(75) ? ("when" as const) : ("unless" as const),
    body: expression(random, random.chance(2) ? random.pick(KINDS) : "bool", 0),
  }));
  return {
    effect: random.chance(65) ? "permit" : "forbid",
    principal: scope(random),
    action: actionScope(random),
    resource: scope(random),
    conditions,
  };
}

function scope(random: Random): PolicyJson["principal"] {
  const entity = random.pick(UIDS);
  switch (random.below(9)) {
    case 0:
      return { op: "==", entity };
    case 1:
    case 2:
      return { op: "in", entity };
    case 3:
      return { op: "is", entity_type: random.pick(TYPES) };
    case 4:
      return { op: "is", entity_type: random.pick(TYPES), in: { entity } };
    default:
      return { op: "All" };
  }
}

function actionScope(random: Random): PolicyJson["action"] {
  switch (random.below(6)) {
    case 0:
      return { op: "==", entity: random.pick(ACTIONS) };
    case 1:
      return { op: "in", entity: random.pick(ACTIONS) };
    case 2:
      return { op: "in", entities: random.several(0, 3, () => random.pick(ACTIONS)) };
    default:
      return { op: "All" };
  }
}

/** An expression that is probably of a kind. */
export function expression(random: Random, wanted: Kind, depth: number): Expr {
  const kind = random.chance(3) ? random.pick(KINDS) : wanted;
  const deeper = (inner: Kind): Expr => expression(random, inner, depth + 1);
  if (depth > 5 || random.chance(12 + depth * 8)) return leaf(random, kind);
  if (random.chance(6)) {
    // oxlint-disable-next-line unicorn/no-thenable -- the name that Cedar gives it
    return { "if-then-else": { if: deeper("bool"), then: deeper(kind), else: deeper(kind) } };
  }
  if (random.chance(20)) return access(random, kind, depth);
  switch (kind) {
    case "bool":
      return boolean(random, deeper);
    case "long": {
      const [left, right] = [deeper("long"), deeper("long")];
      const unit = random.pick(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"]);
      return random.pick<Expr>([
        { "+": { left, right } },
        { "-": { left, right } },
        { "*": { left, right } },
        { neg: { arg: left } },
        call(unit, deeper("duration")),
      ]);
    }
    case "set":
      return { Set: random.several(0, 3, () => deeper(random.pick(KINDS))) };
    case "record":
      return {
        Record: Object.fromEntries(
          random.some(NAMES.slice(0, 7)).map((name) => [name, deeper(ATTRIBUTES[name] ?? "long")]),
        ),
      };
    case "datetime":
      return random.chance(50)
        ? call("toDate", deeper("datetime"))
        : call("offset", deeper("datetime"), deeper("duration"));
    case "duration":
      return random.chance(50)
        ? call("toTime", deeper("datetime"))
        : call("durationSince", deeper("datetime"), deeper("datetime"));
    default:
      return leaf(random, kind);
  }
}

function boolean(random: Random, deeper: (kind: Kind) => Expr): Expr {
  const pair = (kind: Kind, other: Kind = kind): { left: Expr; right: Expr } => ({
    left: deeper(kind),
    right: deeper(other),
  });
  const ordered = (): Kind => random.pick(["long", "long", "datetime", "duration"]);
  const left = deeper("entity");
  const choices: (() => Expr)[] = [
    () => ({ "&&": pair("bool") }),
    () => ({ "&&": pair("bool") }),
    () => ({ "||": pair("bool") }),
    () => ({ "||": pair("bool") }),
    () => ({ "!": { arg: deeper("bool") } }),
    () => ({ "==": pair(random.pick(KINDS)) }),
    () => ({ "!=": pair(random.pick(KINDS)) }),
    () => ({ "<": pair(ordered()) }),
    () => ({ "<=": pair(ordered()) }),
    () => ({ ">": pair(ordered()) }),
    () => ({ ">=": pair(ordered()) }),
    () => ({ in: pair("entity") }),
    () => ({ in: { left, right: { Set: random.several(0, 3, () => deeper("entity")) } } }),
    () => ({ contains: pair("set", random.pick(KINDS)) }),
    () => ({ containsAll: pair("set") }),
    () => ({ containsAny: pair("set") }),
    () => ({ isEmpty: { arg: deeper("set") } }),
    () => ({ hasTag: { left, right: tagName(random, deeper) } }),
    () => ({ is: { left, entity_type: random.pick(TYPES) } }),
    () => ({ is: { left, entity_type: random.pick(TYPES), in: deeper("entity") } }),
    () => ({
      has: { left: deeper(random.pick(["entity", "record"])), attr: random.pick(NAMES) },
    }),
    () => ({
      has: {
        left: deeper(random.pick(["entity", "record"])),
        attr: [random.pick(["r", "e"]), ...random.several(0, 2, () => random.pick(WORDS))],
      },
    }),
    () => ({ like: { left: deeper("string"), pattern: pattern(random) } }),
    () => call(random.pick(["isIpv4", "isIpv6", "isLoopback", "isMulticast"]), deeper("ip")),
    () => call("isInRange", deeper("ip"), deeper("ip")),
    () =>
      call(
        random.pick(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]),
        deeper("decimal"),
        deeper("decimal"),
      ),
  ];
  return random.pick(choices)();
}

/** An attribute or a tag that is often there and often of the kind. */
function access(random: Random, kind: Kind, depth: number): Expr {
  const deeper = (inner: Kind): Expr => expression(random, inner, depth + 1);
  if (random.chance(15)) {
    return { getTag: { left: deeper("entity"), right: tagName(random, deeper) } };
  }
  const fitting = NAMES.filter((name) => ATTRIBUTES[name] === kind);
  const attr = random.pick(fitting);
  const left = random.chance(70)
    ? { Var: random.pick(["principal", "resource", "context"] as const) }
    : deeper(random.pick(["entity", "record"]));
  return random.chance(60)
    ? { "&&": { left: { has: { left, attr } }, right: { ".": { left, attr } } } }
    : { ".": { left, attr } };
}

function tagName(random: Random, deeper: (kind: Kind) => Expr): Expr {
  return random.chance(85) ? value(random.pick(NAMES)) : deeper("string");
}

function leaf(random: Random, kind: Kind): Expr {
  switch (kind) {
    case "entity":
      return random.chance(60)
        ? { Var: random.pick(["principal", "action", "resource"] as const) }
        : value(randomValue(random, "entity", 0));
    case "record":
      return random.chance(60) ? { Var: "context" } : value(randomValue(random, "record", 1));
    case "ip":
      return extension(random, "ip", IPS, NO_IPS);
    case "decimal":
      return extension(random, "decimal", DECIMALS, NO_DECIMALS);
    case "datetime":
      return extension(random, "datetime", DATETIMES, NO_DATETIMES);
    case "duration":
      return extension(random, "duration", DURATIONS, NO_DURATIONS);
    default:
      return value(randomValue(random, kind, 0));
  }
}

function extension(
  random: Random,
  fn: string,
  good: readonly string[],
  bad: readonly string[],
): Expr {
  const text = random.chance(80) ? random.pick(good) : random.pick(bad);
  const arg = random.chance(10) ? mutated(random, text) : text;
  return random.chance(70) ? call(fn, value(arg)) : value({ __extn: { fn, arg } });
}

/** A text with one character less, more or other. */
function mutated(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const more = random.chance(70) ? random.pick("0123456789.:/-+TZdhms".split("")) : "";
  return text.slice(0, at) + more + text.slice(at + random.below(2));
}

function pattern(random: Random): ("Wildcard" | { Literal: string })[] {
  return random.several(0, 4, () =>
    random.chance(45) ? ("Wildcard" as const) : { Literal: random.pick(STRINGS) },
  );
}
