import { isBonafideError } from "@bonafide/errors";
import { compilePolicies } from "../engine/compile.ts";
import { decide, enforce } from "../engine/decide.ts";
import type { EntityUid } from "../engine/values.ts";
import type { AccessGraph } from "../graph/access.ts";
import { AccessPaths, type Hop } from "../graph/paths.ts";
import { actionOf } from "../model/entity-names.ts";
import { buildRequest, principalFrom } from "../model/request.ts";
import { type Folder, policiesOf } from "./folder.ts";
import { graphOfFolder } from "./graph-of-folder.ts";
import { callersOf, type Invariant, targetOf } from "./invariant.ts";
import { nameOf, readAction, readCaller, readResource } from "./names.ts";
import type { DecisionTest, SourcedTest } from "./read-tests.ts";
import { unlistedCallers } from "./unlisted-callers.ts";

/** How a test of a folder ended. */
export interface TestOutcome {
  readonly file: string;
  readonly line: number;
  /** What was to hold. */
  readonly name: string;
  /** What holds instead; `undefined` if the test passed. */
  readonly fault: string | undefined;
}

/**
 * Runs the tests of a folder without findings.
 *
 * @param options.now  For tests that give facts of a request and no time, epoch ms.
 */
export function runFolderTests(
  folder: Folder,
  { now }: { readonly now: number },
): readonly TestOutcome[] {
  const graph = graphOfFolder(folder, { unlisted: unlistedCallers([folder]) });
  const paths = new AccessPaths(graph, folder.model);
  return folder.tests.map((sourced) => ({
    file: sourced.file,
    line: sourced.line,
    name: testName(sourced),
    fault: faultOf(() =>
      sourced.test.kind === "decision"
        ? decisionFault(sourced.test, { folder, graph, now })
        : invariantFault(sourced.test.invariant, { folder, graph, paths }),
    ),
  }));
}

function testName({ test }: SourcedTest): string {
  if (test.kind === "invariant") return test.text;
  const { who, action, what, expect } = test;
  return `${who} ${action} ${what}: ${expect}`;
}

/** A name that nobody has fails the test that uses it. */
function faultOf(run: () => string | undefined): string | undefined {
  try {
    return run();
  } catch (error) {
    if (isBonafideError(error, "AUTHZ_REQUEST_INVALID")) return error.message;
    throw error;
  }
}

function decisionFault(
  test: DecisionTest,
  { folder, graph, now }: { folder: Folder; graph: AccessGraph; now: number },
): string | undefined {
  const action = readAction(test.action);
  const principal = readCaller(test.who, folder.model);
  const { resource } = readResource(test.what, action, folder.model);
  const { given, expect } = test;
  if (given === undefined) {
    const { kind, conditions, policies } = graph.can(principal, actionOf(action), resource);
    if (kind === expect) return undefined;
    const only = conditions.length === 0 ? "" : `, only if ${conditions.join(", and ")}`;
    return `${kind}${only}${policies.length === 0 ? "" : ` by ${policies.join(", ")}`}`;
  }
  const facts = { now, tls: true, ...given };
  const request = buildRequest(principalFrom(principal), action, resource, facts);
  const { allowed, decision } = enforce(
    decide(compilePolicies(policiesOf(folder)), graph.parts.entities, request),
  );
  const answer = allowed ? "allow" : "deny";
  const by = decision.determining.length === 0 ? "" : ` by ${decision.determining.join(", ")}`;
  return answer === expect ? undefined : `${answer}${by}`;
}

interface Scene {
  readonly folder: Folder;
  readonly graph: AccessGraph;
  readonly paths: AccessPaths;
}

/** A sentence about nobody or nothing holds by accident, and so fails. */
function invariantFault(
  { kind, from, to, hopsMax }: Invariant,
  { folder: { model }, graph, paths }: Scene,
): string | undefined {
  const isWanted = targetOf(to, graph, model);
  if (isWanted === undefined) return `nothing is called ${to}`;
  const named: EntityUid[] = [];
  for (const text of from) {
    const callers = callersOf(text, graph, model);
    if (callers.length === 0) return `nobody is ${text}`;
    named.push(...callers);
  }
  const meant = new Set(named.map(({ key }) => key));
  const judged =
    kind === "never" ? named : graph.parts.principals.filter(({ key }) => !meant.has(key));
  for (const caller of judged) {
    const path = paths.shortest(caller, isWanted, { hopsMax });
    if (path !== undefined) return pathText(path);
  }
  return undefined;
}

/** A chain of calls in one line: `a -> b/route (http.GET) -> c/route (http.POST, only if ...)`. */
export function pathText(path: readonly Hop[]): string {
  const [first] = path;
  const calls = path.map(({ action, resource, access: { conditions } }) => {
    const only = conditions.length === 0 ? "" : `, only if ${conditions.join(", and ")}`;
    return `${nameOf(resource)} (${action.id}${only})`;
  });
  return [first === undefined ? "" : nameOf(first.principal), ...calls].join(" -> ");
}
