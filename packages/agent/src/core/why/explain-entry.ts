import type { OmittedFact } from "@bonafide/plugin-api";
import { type Selector, selectorText } from "../entry.ts";
import type { Cause } from "./causes.ts";
import type { WhyFacts } from "./facts.ts";
import { changeEntry, createEntryCommand } from "./mend.ts";
import { selectorKind, selectorRest } from "./near.ts";
import type { Judged, NearestEntry } from "./nearest-entries.ts";

/** Programs that run other programs' text: their path says nothing of what they run. */
const INTERPRETERS =
  /^(?:node|nodejs|bun|deno|python[\d.]*|pypy[\d.]*|ruby[\d.]*|perl[\d.]*|php[\d.]*|java|bash|dash|sh|zsh|busybox|lua[\d.]*|Rscript|dotnet|erl|beam\.smp)$/;

/** The causes that one entry of this node, which does not fit, gives; the first one outranks the others. */
export function explainEntry(near: NearestEntry, facts: WhyFacts): Cause[] {
  const causes: Cause[] = [];
  const missing = near.judged.filter(({ kind }) => kind !== "present");
  // Contradiction outranks absence: a wrong value is wrong whatever the attestors could read.
  for (const judged of missing) {
    if (judged.kind === "unknown_kind") causes.push(unknownKind(judged, near, facts));
    else if (judged.kind === "near_miss") causes.push(typingError(judged, near, facts));
    else if (judged.kind === "contradicted") causes.push(contradicted(judged, near, facts));
  }
  if (causes.length > 0) return causes;
  for (const judged of missing) {
    if (judged.kind === "not_observed") causes.push(notObserved(judged, near, facts));
  }
  return causes;
}

function of(near: NearestEntry): string {
  return `entry ${near.entry.id} (${near.entry.spiffeId})`;
}

function updateHint(near: NearestEntry, from: Selector, to: string): string {
  return `In ${of(near)} write ${to} in place of ${selectorText(from)}.`;
}

function unknownKind(
  judged: Judged & { kind: "unknown_kind" },
  near: NearestEntry,
  facts: WhyFacts,
): Cause {
  const rest = selectorRest(judged.wanted);
  const meant = `${judged.nearestKind}${rest === "" ? "" : `:${rest}`}`;
  const { first, command } = changeEntry(near, facts);
  return {
    code: "entry.selector_unknown_kind",
    says: `${of(near)} wants ${selectorText(judged.wanted)}, and there is no kind ${selectorKind(judged.wanted)}`,
    hint: `The nearest kind is ${judged.nearestKind}. ${updateHint(near, judged.wanted, meant)} ${first}`,
    command,
  };
}

function typingError(
  judged: Judged & { kind: "near_miss" },
  near: NearestEntry,
  facts: WhyFacts,
): Cause {
  const interpreter = interpreterPath(judged.wanted, judged.observed);
  if (interpreter !== undefined) return scriptPath(judged.wanted, interpreter, near);
  const { first, command } = changeEntry(near, facts);
  return {
    code: "entry.selector_near_miss",
    says: `${of(near)} wants ${selectorText(judged.wanted)}; likely meant: ${judged.near.meant} (${judged.near.why})`,
    hint: `${updateHint(near, judged.wanted, judged.near.meant)} ${first}`,
    command,
  };
}

function contradicted(
  judged: Judged & { kind: "contradicted" },
  near: NearestEntry,
  facts: WhyFacts,
): Cause {
  const interpreter = interpreterPath(judged.wanted, judged.observed);
  if (interpreter !== undefined) return scriptPath(judged.wanted, interpreter, near);
  const observed = judged.observed.map((selector) => selectorText(selector)).join(", ");
  const wanted = selectorText(judged.wanted);
  const holding = near.judged.length - near.missing;
  const { first, command } = changeEntry(near, facts);
  if (near.missing === 1 && holding > 0) {
    return {
      code: "entry.selector_extra",
      says: `${of(near)} wants ${wanted}, observed is ${observed}; its other ${holding} hold`,
      hint: `All selectors of an entry must hold: ${wanted} is one too many, or has the wrong value. ${first}`,
      command,
    };
  }
  return {
    code: "entry.selector_contradicted",
    says: `${of(near)} wants ${wanted}, observed is ${observed}`,
    hint: `Run the workload so that ${wanted} holds, or let the entry say ${observed}. ${first}`,
    command,
  };
}

function interpreterPath(wanted: Selector, observed: readonly Selector[]): string | undefined {
  if (selectorKind(wanted) !== "unix:path") return undefined;
  const seen = observed.map((selector) => selectorRest(selector));
  return seen.find((path) => INTERPRETERS.test(path.slice(path.lastIndexOf("/") + 1)));
}

function scriptPath(wanted: Selector, interpreter: string, near: NearestEntry): Cause {
  return {
    code: "entry.path_is_interpreter",
    says: `${of(near)} wants ${selectorText(wanted)}, and the kernel runs ${interpreter}`,
    hint:
      `A script is not what the kernel executes: it runs ${interpreter}, which reads the script as data, so no path ` +
      "selector can name it. Tell the workload by a uid of its own (unix:uid) or start it by the launcher " +
      "(launcher:name).",
    command: `bonafide exec --as NAME -- ${interpreter} ${selectorRest(wanted)}`,
  };
}

function notObserved(
  judged: Judged & { kind: "not_observed" },
  near: NearestEntry,
  facts: WhyFacts,
): Cause {
  const wanted = selectorText(judged.wanted);
  const { omitted } = judged;
  if (omitted !== undefined) return notReadable(wanted, omitted, near);
  if (selectorKind(judged.wanted).startsWith("launcher:")) {
    const name =
      selectorKind(judged.wanted) === "launcher:name" ? selectorRest(judged.wanted) : "NAME";
    const command = `bonafide exec --as ${name}${uidFlag(near)} -- CMD`;
    return {
      code: "entry.launcher_missing",
      says: `${of(near)} wants ${wanted}, and ${facts.pid === undefined ? "the caller" : `process ${facts.pid}`} was not started by the launcher`,
      hint: `Start it through the launcher: ${command}`,
      command,
    };
  }
  return {
    code: "attestor.selector_disabled",
    says: `${of(near)} wants ${wanted}, and this agent observes no ${selectorKind(judged.wanted)}`,
    hint: `No attestor of this agent gives ${selectorKind(judged.wanted)}. Switch one on that does, or leave ${wanted} out of the entry.`,
    command:
      facts.want === undefined
        ? changeEntry(near, facts).command
        : createEntryCommand(facts, near.entry.spiffeId),
  };
}

/** The launcher gives a name, not a user: an entry that wants both is met only by a start as that user. */
function uidFlag(near: NearestEntry): string {
  const uid = near.entry.selectors.find((selector) => selectorKind(selector) === "unix:uid");
  return uid === undefined ? "" : ` --uid ${selectorRest(uid)}`;
}

function notReadable(wanted: string, omitted: OmittedFact, near: NearestEntry): Cause {
  const says = `${of(near)} wants ${wanted}, and ${omitted.fact} was not observed: ${omitted.text}`;
  const others =
    "unix:uid, unix:gid and launcher:name come from the socket itself and are always there.";
  switch (omitted.reason) {
    case "attestor.selector_disabled":
      return {
        code: omitted.reason,
        says,
        hint: `Switch the option on in the agent's configuration (${omitted.text}), or leave ${wanted} out of the entry.`,
      };
    case "attestor.binary_replaced":
      return {
        code: omitted.reason,
        says,
        hint: `Restart the workload, so that it runs the file that is there now: ${omitted.text}.`,
      };
    default:
      return {
        code: omitted.reason,
        says,
        hint: `${omitted.fact} is not to be had here (${omitted.text}). Let the agent see it, or use other selectors: ${others}`,
      };
  }
}
