import type { AnnotatedChange, DataPath, FolderDiff } from "./compare-folders.ts";
import { nameOf } from "./names.ts";
import { pathText } from "./run-tests.ts";
import { visible } from "./seen-text.ts";
import type { SubjectChange } from "./subject-changes.ts";

/** Changes to one resource that read the same but for their actions. */
interface Line {
  readonly kind: AnnotatedChange["kind"];
  readonly who: string;
  readonly actions: string[];
  readonly what: string;
  readonly conditions: readonly string[];
  readonly conditionsBefore: readonly string[];
  readonly data: readonly string[];
}

const ORDER = ["gained", "changed", "lost"] as const;
const SIGNS = { gained: "+", changed: "~", lost: "-" } as const;

/** A difference as lines for people: gains first, then changed conditions, losses, subjects, and chains to data. */
export function renderDiff(diff: FolderDiff): string {
  const { changes, newPaths, lostPaths, subjects, latent, declassified } = diff;
  const lines = linesOf(changes).map(({ kind, who, actions, what, conditions, data }) => {
    const verb = kind === "lost" ? "may no longer" : "may";
    const only = conditions.length === 0 || kind === "lost" ? "" : onlyIf(conditions);
    return `${SIGNS[kind]} ${who} ${verb} ${actions.join(", ")} ${what}${only}${dataText(data)}`;
  });
  lines.push(
    ...subjects.map(({ route, before, after }) => `~ ${route}: subject ${before} -> ${after}`),
  );
  lines.push(
    ...latent.map(({ policyId, file, line }) => `+ ${policyId} ${LATENT} (${file}:${line})`),
    ...declassified.map(
      ({ service, data }) => `~ ${service} no longer has data: ${data.join(", ")}`,
    ),
  );
  lines.push(...newPaths.map((path) => `+ new chain: ${chainText(path)}`));
  lines.push(...lostPaths.map((path) => `- chain gone: ${chainText(path)}`));
  return lines.length === 0 ? "No access gained or lost." : lines.map(visible).join("\n");
}

/** A difference as the text of a pull request, in Markdown. Whatever comes from the folder stands in code spans. */
export function renderPullRequest(diff: FolderDiff): string {
  const { changes, newPaths, lostPaths, subjects, latent, declassified } = diff;
  const counts = ORDER.map((kind) => [kind, changes.filter((one) => one.kind === kind)] as const);
  const sum = counts.map(([kind, of]) => `${of.length} ${kind}`).join(", ");
  if (Object.values(diff).every((part: readonly unknown[]) => part.length === 0)) {
    return "## Access\n\nNo access gained or lost.";
  }
  const parts = [`## Access\n\n${sum}; by caller, action and route.`];
  for (const kind of ORDER) {
    const lines = linesOf(changes).filter((line) => line.kind === kind);
    if (lines.length > 0) parts.push(`### ${TITLES[kind]}\n\n${lines.map(itemOf).join("\n")}`);
  }
  if (subjects.length > 0) {
    parts.push(`### On whose behalf\n\n${subjects.map(subjectItem).join("\n")}`);
  }
  if (latent.length > 0) {
    const items = latent.map(
      ({ policyId, file, line }) => `- ${code(policyId)} ${LATENT} (${code(`${file}:${line}`)})`,
    );
    parts.push(`### Given to nobody yet\n\n${items.join("\n")}`);
  }
  if (declassified.length > 0) {
    const items = declassified.map(
      ({ service, data }) => `- ${code(service)}: ${data.map(code).join(", ")}`,
    );
    parts.push(`### Classes of data taken away\n\n${items.join("\n")}`);
  }
  if (newPaths.length > 0) {
    parts.push(`### New chains of calls to data\n\n${newPaths.map(chainItem).join("\n")}`);
  }
  if (lostPaths.length > 0) {
    parts.push(`### Chains of calls that are gone\n\n${lostPaths.map(chainItem).join("\n")}`);
  }
  return parts.join("\n\n");
}

const LATENT = "permits, and gives nobody anything yet";
const TITLES = { gained: "Gained", changed: "Other conditions", lost: "Lost" } as const;

function itemOf({ kind, who, actions, what, conditions, conditionsBefore, data }: Line): string {
  const doing = actions.map(code).join(", ");
  const to = kind === "lost" ? "may no longer" : "may";
  const only = kind !== "lost" && conditions.length > 0 ? `, only if ${codes(conditions)}` : "";
  const before =
    kind !== "changed"
      ? ""
      : conditionsBefore.length === 0
        ? "; before: always"
        : `; before: only if ${codes(conditionsBefore)}`;
  const reaches = data.length === 0 ? "" : ` (data: ${data.map(code).join(", ")})`;
  return `- ${code(who)} ${to} ${doing} ${code(what)}${only}${before}${reaches}`;
}

function subjectItem({ route, before, after, isLoosened }: SubjectChange): string {
  const verdict = isLoosened ? "more calls are admitted" : "fewer calls are admitted";
  return `- ${code(route)}: subject ${code(before)} -> ${code(after)}; ${verdict}`;
}

function chainItem(path: DataPath): string {
  return `- ${code(pathText(path.hops))} (data: ${path.data.map(code).join(", ")})`;
}

function chainText({ hops, data }: DataPath): string {
  return `${pathText(hops)}${dataText(data)}`;
}

function linesOf(changes: readonly AnnotatedChange[]): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const kind of ORDER) {
    for (const change of changes) {
      if (change.kind !== kind) continue;
      const { conditions } = kind === "lost" ? change.before : change.after;
      const line = {
        kind,
        who: change.principals.map(nameOf).join(", "),
        what: nameOf(change.resource),
        conditions,
        conditionsBefore: change.before.conditions,
        data: change.data,
      };
      const key = JSON.stringify(line);
      const known = lines.get(key);
      if (known === undefined) lines.set(key, { ...line, actions: [change.action.id] });
      else known.actions.push(change.action.id);
    }
  }
  return [...lines.values()];
}

function onlyIf(conditions: readonly string[]): string {
  return `, only if ${conditions.join(", and ")}`;
}

function dataText(data: readonly string[]): string {
  return data.length === 0 ? "" : ` (data: ${data.join(", ")})`;
}

function codes(conditions: readonly string[]): string {
  return conditions.map(code).join(" and ");
}

/** A code span that nothing within can end: its fence is longer than any row of backticks inside. */
function code(raw: string): string {
  const text = visible(raw);
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([row]) => row.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}
