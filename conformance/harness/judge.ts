/** One requirement of a SPIFFE specification, as `conformance/items.json` lists it. */
export interface Item {
  /** `X509-20`; stable, never given to another requirement. */
  readonly id: string;
  /** `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT`, `MAY`, or `PROSE` (stated as fact). */
  readonly level: string;
  /** I issuer, V validator, S server of the endpoint, C client, A all. */
  readonly who: string;
  /** Section of the specification. */
  readonly section: string;
  readonly requirement: string;
}

/** `conformance/not-held.json`: id, or `FAMILY-*` for what is left of a family, to the reason. */
export interface NotHeld {
  readonly notYet: Readonly<Record<string, string>>;
  readonly notApplicable: Readonly<Record<string, string>>;
}

/** One test that ran: its names from the outside in, and how it ended. */
export interface Evidence {
  readonly file: string;
  readonly names: readonly string[];
  readonly outcome: "passed" | "failed" | "skipped" | "todo";
}

/** Whether one requirement is held, and by which tests. */
export interface Verdict {
  readonly item: Item;
  readonly state: "held" | "not yet" | "not applicable";
  readonly tests: readonly string[];
}

/** The verdict on every item, and what is red. */
export interface Judgement {
  readonly verdicts: readonly Verdict[];
  readonly problems: readonly string[];
}

const ID = /^[A-Z][A-Z0-9]*-\d{2}/;

/**
 * The ids a test name starts with: `X509-02, X509-03 (X509-SVID §2): ...` has two.
 *
 * Only a leading list counts, so that a sentence may mention an id without claiming it.
 */
export function idsOfTestName(name: string): string[] {
  const ids: string[] = [];
  let rest = name;
  for (;;) {
    const id = ID.exec(rest)?.[0];
    if (id === undefined) return ids;
    ids.push(id);
    rest = rest.slice(id.length).replace(/^(?:\s*[,/+&]\s*|\s+and\s+)/, "");
  }
}

/**
 * Judges every item: held when at least one test carries its id and all of those pass.
 *
 * The list is checked both ways: an item that is not held must be listed with a reason, and a listed item that is
 * held is a problem too, as is a listed or tested id that does not exist.
 */
export function judge(
  items: readonly Item[],
  listed: NotHeld,
  evidence: readonly Evidence[],
): Judgement {
  const problems: string[] = [];
  const known = new Map(items.map((item) => [item.id, item]));
  if (known.size !== items.length) problems.push("items.json has an id twice");
  const tests = new Map<string, Evidence[]>();
  for (const test of evidence) {
    for (const id of new Set(test.names.flatMap(idsOfTestName))) {
      const family = id.slice(0, id.indexOf("-"));
      if (known.has(id)) tests.set(id, [...(tests.get(id) ?? []), test]);
      else if (items.some((item) => item.id.startsWith(`${family}-`))) {
        problems.push(`${test.file}: ${id} is not in items.json`);
      }
    }
  }
  const used = new Set<string>();
  const verdicts = items.map((item): Verdict => {
    const found = tests.get(item.id) ?? [];
    const names = found.map((test) => `${test.file}: ${test.names.join(" > ")}`);
    const held = found.length > 0 && found.every((test) => test.outcome === "passed");
    const family = `${item.id.slice(0, item.id.indexOf("-"))}-*`;
    const own = listOf(listed, item.id);
    const where = own ?? listOf(listed, family);
    if (own !== undefined) used.add(item.id);
    else if (where !== undefined && !held) used.add(family);
    if (held && own !== undefined) problems.push(`${item.id} is held: take it off not-held.json`);
    if (!held && where === undefined) {
      const why = found.length === 0 ? "no test carries it" : "a test that carries it fails";
      problems.push(`${item.id} is not held (${why}) and not listed in not-held.json`);
    }
    const state = held ? "held" : where === "notApplicable" ? "not applicable" : "not yet";
    return { item, state, tests: names };
  });
  for (const [key, reason] of [
    ...Object.entries(listed.notYet),
    ...Object.entries(listed.notApplicable),
  ]) {
    if (!used.has(key)) problems.push(`not-held.json: ${key} matches nothing that is not held`);
    if (reason.trim() === "") problems.push(`not-held.json: ${key} gives no reason`);
  }
  if (items.length === 0) problems.push("items.json is empty");
  return { verdicts, problems };
}

/** Renders a judgement: a line per family, what is not held, and the counts as the last line. */
export function renderReport(judgement: Judgement, options: { readonly whole: boolean }): string {
  const { verdicts } = judgement;
  const families = Map.groupBy(verdicts, ({ item }) => item.id.slice(0, item.id.indexOf("-")));
  const lines: string[] = [];
  if (options.whole) {
    for (const { item, state, tests } of verdicts) {
      const mark = `${item.id.padEnd(8)} ${item.level.padEnd(10)} ${state.padEnd(14)}`;
      lines.push(`${mark} ${item.section.padEnd(12)} ${item.requirement}`);
      for (const test of tests) lines.push(`${" ".repeat(9)}${test}`);
    }
    lines.push("");
  }
  lines.push("family  items  held  not yet  not applicable");
  for (const [family, of] of families) {
    const cells = [
      String(of.length).padStart(5),
      String(count(of, "held")).padStart(4),
      String(count(of, "not yet")).padStart(7),
      String(count(of, "not applicable")).padStart(14),
    ];
    lines.push(`${family.padEnd(6)}  ${cells.join("  ")}`);
  }
  lines.push(
    `${count(verdicts, "held")} held, ${count(verdicts, "not yet")} not yet, ` +
      `${count(verdicts, "not applicable")} not applicable`,
  );
  return `${lines.join("\n")}\n`;
}

function listOf(listed: NotHeld, key: string): keyof NotHeld | undefined {
  if (key in listed.notYet) return "notYet";
  return key in listed.notApplicable ? "notApplicable" : undefined;
}

function count(verdicts: readonly Verdict[], state: Verdict["state"]): number {
  return verdicts.filter((verdict) => verdict.state === state).length;
}
