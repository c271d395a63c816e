import { type Position, parseWireNumber, wireNumber } from "@bonafide/ledger";
import { nextEpoch } from "../core/epoch-slots.ts";
import { planMending } from "../core/plan-mending.ts";
import { type Memory, reconcile, type Seen, type Verdict } from "../core/reconcile.ts";
import {
  type Rules,
  SeededRandom,
  type SimAgent,
  type SimDatabase,
  type SimLeaf,
  type SimServer,
  type Tally,
  type Weather,
} from "./simulation-model.ts";

const NAMES = ["a", "b", "c", "d", "e"];
/** Slots in the model; fewer than in life, so that collisions would be frequent. */
const SLOTS = 4;
const MEMORY_MAX = 60;
const STEPS = 600;

/**
 * Plays one random history of servers, agents and a database that suffers, with the rules that production runs:
 * `reconcile`, `planMending`, `nextEpoch` and the wire number.
 *
 * Invariants, counted in the tally when they break: I1 a number that an agent holds falls or stays with other content;
 * I2 a server serves what it knows removed; I3 one number is told for two states; I4 an agent is shut out for ever;
 * I5 servers differ in the end.
 */
export function simulate(seed: number, rules: Rules, weather: Weather, tally: Tally): void {
  new History(seed, rules, weather, tally).play();
}

class History {
  readonly #rules: Rules;
  readonly #weather: Weather;
  readonly #tally: Tally;
  readonly #random: SeededRandom;
  readonly #accepted = new Set<string>();
  readonly #deposed: SimDatabase[] = [];
  /** What was told for a number, by whomever. */
  readonly #published = new Map<number, string>();
  #primary: SimDatabase;
  readonly #servers: readonly SimServer[];
  readonly #agents: readonly SimAgent[];
  #lastId = 0;
  #boots = 1;
  #systems = 1;

  constructor(seed: number, rules: Rules, weather: Weather, tally: Tally) {
    this.#rules = rules;
    this.#weather = weather;
    this.#tally = tally;
    this.#random = new SeededRandom(seed);
    const incarnation = { system: "s1", timeline: 1 };
    this.#primary = {
      ...incarnation,
      openedIn: incarnation,
      leaves: [],
      boot: 1,
      settledBoot: 1,
      inRecovery: false,
      writable: true,
    };
    this.#servers = [0, 1, 2].map((id) => ({
      id,
      db: this.#primary,
      reachable: true,
      view: [],
      floorNumber: 0,
      incarnation,
      held: false,
      forgotten: 0,
      opened: 0,
      known: new Map(),
      everKnown: new Map(),
    }));
    this.#agents = [0, 1, 2, 3].map((id) => ({
      id,
      server: this.#random.pick(this.#servers),
      head: 0,
      headId: "",
      held: new Map(),
    }));
  }

  play(): void {
    for (let step = 0; step < STEPS; step += 1) {
      const server = this.#random.pick(this.#servers);
      const dice = this.#random.below(200);
      if (dice < 44) this.#disturb(server, dice);
      else if (dice < 46) {
        if (server.held && server.reachable && server.db === this.#primary) this.#accept(server);
      } else if (dice < 130) this.#serve(this.#random.pick(this.#agents));
      else this.#change(server, dice, step);
      if (this.#rules.sealedNames && step % 5 === 0)
        this.#proveName(this.#random.pick(this.#agents));
    }
    this.#calm();
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }

  // Weather.

  #disturb(server: SimServer, dice: number): void {
    const { promotion, rollback, restore } = this.#weather;
    if (dice < 4 && promotion) this.#promote();
    else if (dice >= 4 && dice < 6 && rollback) {
      this.#primary.leaves = this.#cut(this.#primary, 8);
      this.#reboot();
      this.#count("fault: rollback");
    } else if (dice === 6 && restore) {
      this.#systems += 1;
      const system = `s${this.#systems}`;
      const leaves = this.#cut(this.#primary, 90);
      this.#primary = { ...this.#primary, leaves, system, timeline: 1, settledBoot: 0 };
      this.#reboot();
      for (const one of this.#servers) one.db = this.#primary;
      this.#count("fault: restore");
    } else if (dice < 12) {
      // A lagging standby answers at the same address.
      server.db = { ...this.#primary, leaves: this.#cut(this.#primary, 10), inRecovery: true };
    } else if (dice < 14) {
      if (this.#deposed.length > 0) server.db = this.#random.pick(this.#deposed);
    } else if (dice < 22) server.reachable = !server.reachable;
    else if (dice < 30) server.db = this.#primary;
    else if (dice < 34) {
      if (this.#rules.rememberFirst) return;
      server.forgotten = Math.min(server.view.length, this.#random.below(4));
    } else this.#random.pick(this.#agents).server = this.#random.pick(this.#servers);
  }

  #promote(): void {
    const old = this.#primary;
    const leaves = this.#cut(old, 8);
    this.#primary = { ...old, leaves, timeline: old.timeline + 1, settledBoot: 0 };
    this.#reboot();
    old.writable = this.#weather.unfenced && this.#random.below(3) === 0;
    if (old.writable) this.#deposed.push(old);
    for (const server of this.#servers) {
      if (this.#random.below(4) > 0) server.db = this.#primary;
    }
    this.#count("fault: promotion");
  }

  #cut(db: SimDatabase, most: number): readonly SimLeaf[] {
    return db.leaves.slice(0, Math.max(0, db.leaves.length - this.#random.below(most)));
  }

  #reboot(): void {
    this.#boots += 1;
    this.#primary.boot = this.#boots;
  }

  // What servers do.

  #change(server: SimServer, dice: number, step: number): void {
    if (!(server.forgotten === 0 || dice < 150) || !server.reachable) return;
    if (this.#rules.checkIn && server.db === this.#primary) this.#checkIn();
    if (server.held && server.db !== this.#primary) server.db = this.#primary;
    if (!this.#connect(server) || server.db.inRecovery || !server.db.writable) return;
    const name = this.#random.pick(NAMES);
    const now = newest(server.db.leaves, name);
    const denies = now?.kind === "put" && this.#random.below(2) === 0;
    const content = denies ? "" : `v${step}`;
    this.#append(server, { name, kind: denies ? "deny" : "put", content });
    this.#adopt(server);
  }

  #append(
    server: SimServer,
    leaf: Omit<SimLeaf, "n" | "id" | "epoch" | "knows">,
    epoch?: number,
    knows?: ReadonlySet<string>,
  ): void {
    const head = headOf(server.db.leaves);
    this.#lastId += 1;
    const made: SimLeaf = {
      ...leaf,
      n: head.n + 1,
      epoch: epoch ?? head.epoch,
      id: `l${this.#lastId}`,
      knows: knows ?? this.#madeKnowing(server, leaf.name),
    };
    server.db.leaves = [...server.db.leaves, made];
  }

  /** A change over a visible removal is deliberate: made in knowledge of all removals that led there. */
  #madeKnowing(server: SimServer, name: string): ReadonlySet<string> {
    const over = newest(server.db.leaves, name)?.kind === "deny";
    const who = over ? this.#servers : [server];
    return new Set(who.flatMap((one) => [...(one.everKnown.get(name) ?? [])]));
  }

  /** Opens an epoch and puts back what is lost, in one transaction. */
  #openEpoch(
    server: SimServer,
    branch: number,
    lost: readonly SimLeaf[],
    options: { epochMin: number; floor: boolean; abandons?: ReadonlySet<string> },
  ): void {
    const { floor, slottedEpochs } = this.#rules;
    const known = [headOf(server.db.leaves).epoch, headOf(server.view).epoch, server.opened];
    const above = Math.max(options.epochMin, ...known);
    const epoch = slottedEpochs ? nextEpoch(above, server.id, SLOTS) : above + 1;
    // On its own disk before the append.
    server.opened = epoch;
    const { abandons } = options;
    const marks = {
      ...(floor || options.floor ? { floor: true } : {}),
      ...(abandons === undefined ? {} : { abandons }),
    };
    this.#append(server, { name: "", kind: "epoch", content: "", ...marks }, epoch);
    this.#mend(server, branch, lost);
    server.db.openedIn = { system: server.db.system, timeline: server.db.timeline };
    this.#count("epochs");
  }

  #mend(server: SimServer, branch: number, lost: readonly SimLeaf[]): void {
    const { leaves } = server.db;
    const { settledMarks, denialsAlways } = this.#rules;
    const abandoned = new Set(leaves.flatMap((leaf) => [...(leaf.abandons ?? [])]));
    const settled = new Set(
      settledMarks ? leaves.flatMap((leaf) => [leaf.id, ...(leaf.settles ?? [])]) : [],
    );
    const wanted = lost
      .filter((leaf) => leaf.kind !== "epoch" && !abandoned.has(leaf.id))
      .map((leaf) => ({
        ...leaf,
        id: identity(leaf),
        denies: leaf.kind === "deny" && denialsAlways,
      }));
    const newestOf = (name: string): number | undefined => newest(server.db.leaves, name)?.n;
    for (const { leaf, settles } of planMending(wanted, branch, newestOf, settled)) {
      const { name, kind, content, knows } = leaf;
      const over = newest(server.db.leaves, name)?.knows.has(leaf.id) === true;
      if (kind === "deny" && over) this.#count("late removals over re-creations");
      this.#append(server, { name, kind, content, settles }, undefined, knows);
    }
  }

  /** Looks at the database and acts on the verdict. @returns whether the server may go on here */
  #connect(server: SimServer, floor = false): boolean {
    const { db } = server;
    const memory = memoryOf(server);
    let verdict = reconcile(memory, this.#seen(db, memory));
    if (!this.#rules.deposedCheck && verdict.kind === "not-used" && memory !== undefined) {
      const { system, timeline } = db;
      verdict = reconcile({ ...memory, incarnation: { system, timeline } }, this.#seen(db, memory));
    }
    const { kind } = verdict;
    this.#count("reason" in verdict ? `${kind}: ${verdict.reason}` : kind);
    if (verdict.kind === "hold") server.held = true;
    if (verdict.kind === "hold" || verdict.kind === "not-used" || !db.writable) return false;
    this.#act(server, verdict, floor || memory === undefined);
    server.held = false;
    server.forgotten = 0;
    server.incarnation = { system: db.system, timeline: db.timeline };
    if (verdict.kind !== "go-on") server.view = db.leaves.slice(0, verdict.branch);
    if (server.view.length > db.leaves.length) server.view = [];
    this.#adopt(server);
    return true;
  }

  #act(server: SimServer, verdict: Verdict, floor: boolean): void {
    if (!("branch" in verdict) || verdict.branch === undefined) return;
    const { branch } = verdict;
    const lost = server.view.slice(branch, server.view.length - server.forgotten);
    const opens =
      verdict.kind === "open-epoch" ||
      verdict.kind === "rewind" ||
      (verdict.kind === "late-memory" && verdict.openEpoch);
    if (opens) this.#openEpoch(server, branch, lost, { epochMin: 0, floor });
    else this.#mend(server, branch, lost);
  }

  #seen(db: SimDatabase, memory: Memory | undefined): Seen {
    const now = { system: db.system, timeline: db.timeline };
    const { leaves } = db;
    return {
      ...headOf(leaves),
      n: leaves.length,
      incarnation: now,
      openedIn: this.#rules.epochOnPromotion ? db.openedIn : now,
      inRecovery: db.inRecovery,
      hashAt: (n) => leaves[n - 1]?.id ?? "",
      epochAt: (n) => leaves[n - 1]?.epoch ?? 0,
      abandoned: (branch, n) =>
        leaves.slice(branch).some((leaf) => leaf.abandons?.has(memory?.hashAt(n) ?? "") === true),
    };
  }

  #adopt(server: SimServer): void {
    server.view = server.db.leaves.slice();
    for (const leaf of server.view) {
      const ever = server.everKnown.get(leaf.name) ?? new Set();
      const now = server.known.get(leaf.name) ?? new Set();
      server.everKnown.set(leaf.name, ever);
      server.known.set(leaf.name, now);
      for (const id of leaf.knows) ever.add(id);
      if (leaf.kind === "deny") {
        ever.add(identity(leaf));
        now.add(identity(leaf));
      } else for (const id of leaf.knows) now.delete(id);
    }
    const floor = server.view.findLast((leaf) => leaf.floor === true);
    server.floorNumber = floor === undefined ? 0 : wireNumber(floor);
  }

  /** After a database came back under any guise, who is here says what they remember before anybody writes. */
  #checkIn(): void {
    const db = this.#primary;
    if (db.settledBoot === db.boot) return;
    const present = this.#servers.filter((server) => server.db === db && server.reachable);
    const floor = present.length < this.#servers.length;
    const before = headOf(db.leaves).epoch;
    const remembered = (server: SimServer): number => wireNumber(headOf(server.view));
    const longestFirst = present.toSorted((a, b) => remembered(b) - remembered(a));
    for (const server of longestFirst) this.#connect(server, floor);
    const first = longestFirst.find((server) => !server.held);
    if (first === undefined) return;
    if (floor && headOf(db.leaves).epoch === before && db.writable) {
      this.#openEpoch(first, db.leaves.length, [], { epochMin: 0, floor: true });
      this.#adopt(first);
    }
    db.settledBoot = db.boot;
  }

  /** The audited command: this database is the truth from now on. The model's operator accepts everything. */
  #accept(server: SimServer): void {
    const { db } = server;
    const common = new Set(db.leaves.flatMap((leaf) => [leaf.id, identity(leaf)]));
    const asked = this.#servers.filter((one) => one.db === db && one.reachable && one.held);
    const remembered = asked.flatMap((one) => one.view);
    const abandons = new Set(
      remembered
        .flatMap((leaf) => [leaf.id, ...(leaf.settles ?? [])])
        .filter((id) => !common.has(id)),
    );
    for (const id of abandons) this.#accepted.add(id);
    const told = this.#agents.filter((agent) => asked.includes(agent.server));
    const epochs = [
      ...asked.map((one) => headOf(one.view).epoch),
      ...told.map((agent) => parseWireNumber(agent.head).epoch),
    ];
    const options = { epochMin: Math.max(...epochs), floor: true, abandons };
    this.#openEpoch(server, db.leaves.length, [], options);
    for (const other of asked) {
      other.view = [];
      other.forgotten = 0;
      other.held = false;
      other.incarnation = { system: db.system, timeline: db.timeline };
      this.#adopt(other);
    }
    db.settledBoot = db.boot;
    this.#count("operator accepts");
  }

  // What agents see.

  #serve(agent: SimAgent): void {
    const { server } = agent;
    const head = headOf(server.view);
    const number = Math.max(wireNumber(head), server.floorNumber);
    if (number < agent.head) {
      this.#count("unavailable");
      return;
    }
    if (number === agent.head && head.id !== agent.headId)
      this.#count("I1 list number, other state");
    const before = this.#published.get(number);
    if (before !== undefined && before !== head.id) this.#count("I3 one number, two states");
    this.#published.set(number, head.id);
    agent.head = number;
    agent.headId = head.id;
    for (const name of NAMES) this.#serveObject(agent, name);
  }

  #serveObject({ server, held }: SimAgent, name: string): void {
    const leaf = newest(server.view, name);
    if (leaf?.kind !== "put") return;
    const undone = [...(server.known.get(name) ?? [])].some(
      (denial) => !leaf.knows.has(denial) && !this.#accepted.has(denial),
    );
    if (undone) this.#count("I2 removed came back");
    const number = Math.max(wireNumber(leaf), server.floorNumber);
    const had = held.get(name);
    if (had !== undefined) {
      const other = number === had.number && had.content !== leaf.content;
      if (number < had.number || other) this.#count("I1 object number fell");
    }
    held.set(name, { number, content: leaf.content });
  }

  /** An agent proves that it was told more than the primary's head: one epoch above it, at most. */
  #proveName(agent: SimAgent): void {
    const { server } = agent;
    const db = this.#primary;
    const isAhead = (): boolean => wireNumber(headOf(db.leaves)) < agent.head;
    if (!server.reachable || server.held || server.db !== db || !db.writable) {
      if (this.#rules.checkIn && server.db === db && server.reachable) this.#checkIn();
      return;
    }
    if (this.#rules.checkIn) this.#checkIn();
    if (!isAhead() || !this.#connect(server) || !isAhead()) return;
    this.#openAbove(server, agent);
    this.#adopt(server);
    this.#count("sealed-name epochs");
  }

  #openAbove(server: SimServer, agent: SimAgent): void {
    const epochMin = parseWireNumber(agent.head).epoch;
    this.#openEpoch(server, server.db.leaves.length, [], { epochMin, floor: true });
  }

  /** All weather over: one database, all servers, an operator who answers. */
  #calm(): void {
    const db = this.#primary;
    db.writable = true;
    for (const server of this.#servers) {
      server.db = db;
      server.reachable = true;
    }
    for (let round = 0; round < 3; round += 1) {
      if (this.#rules.checkIn) this.#checkIn();
      for (const server of this.#servers) {
        this.#connect(server);
        if (!server.held) continue;
        this.#accept(server);
        this.#connect(server);
      }
      if (!this.#rules.sealedNames) continue;
      for (const agent of this.#agents) {
        if (agent.server.held || wireNumber(headOf(db.leaves)) >= agent.head) continue;
        this.#openAbove(agent.server, agent);
        for (const server of this.#servers) this.#connect(server);
      }
    }
    for (const agent of this.#agents) {
      this.#serve(agent);
      const { view, floorNumber } = agent.server;
      const number = Math.max(wireNumber(headOf(view)), floorNumber);
      if (number < agent.head) this.#count("I4 agent shut out for good");
    }
    const [first, ...others] = this.#servers;
    for (const server of others) {
      for (const name of NAMES) {
        const same = newest(server.view, name)?.id === newest(first?.view ?? [], name)?.id;
        if (!same) this.#count("I5 servers differ in the end");
      }
    }
  }
}

function headOf(leaves: readonly SimLeaf[]): Position & { readonly id: string } {
  return leaves.at(-1) ?? { n: 0, epoch: 0, id: "" };
}

function newest(leaves: readonly SimLeaf[], name: string): SimLeaf | undefined {
  return leaves.findLast((leaf) => leaf.name === name && leaf.kind !== "epoch");
}

/** Of a re-appended leaf: the one that it stands for. */
function identity(leaf: SimLeaf): string {
  return leaf.settles?.at(-1) ?? leaf.id;
}

function memoryOf(server: SimServer): Memory | undefined {
  const kept = server.view.slice(0, server.view.length - server.forgotten);
  if (kept.length === 0) return undefined;
  return {
    epoch: headOf(kept).epoch,
    n: kept.length,
    from: Math.max(0, kept.length - MEMORY_MAX),
    incarnation: server.incarnation,
    hashAt: (n) => kept[n - 1]?.id ?? "",
  };
}
