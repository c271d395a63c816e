import type { AccessGraph } from "../graph/access.ts";
import { actionOf, entityOf } from "../model/entity-names.ts";
import {
  type AccessModel,
  type RouteDeclaration,
  type SubjectRule,
  UNDECLARED,
} from "../model/model.ts";

/** A route that wants to know something else than before about on whose behalf it is called. */
export interface SubjectChange {
  /** Service and path, as in `payments/v1/payouts`. */
  readonly route: string;
  readonly before: SubjectRule;
  readonly after: SubjectRule;
  /** Whether calls are admitted that were refused before. */
  readonly isLoosened: boolean;
}

/** A model and who has access in it. */
interface State {
  readonly model: AccessModel;
  readonly graph: AccessGraph;
}

/**
 * Changes of `subject`, by route. It is no policy, so access by itself does not show them. What is no longer declared is
 * an undeclared route with an optional subject, and counts if anybody may still call it as that.
 */
export function subjectChanges(before: State, after: State): readonly SubjectChange[] {
  const now = routesOf(after.model);
  const changes: SubjectChange[] = [];
  for (const [route, { service, declaration }] of routesOf(before.model)) {
    const { subject, actions } = declaration;
    const current = now.get(route)?.declaration;
    const gone = actions.filter((action) => current?.actions.includes(action) !== true);
    const found = new Set<SubjectRule>(current === undefined ? [] : [current.subject]);
    if (gone.some((action) => isCalled(after.graph, service, action))) found.add("optional");
    for (const rule of found) {
      // A rule other than `optional` refuses some calls, and every other rule admits some of these.
      if (rule === subject) continue;
      changes.push({ route, before: subject, after: rule, isLoosened: subject !== "optional" });
    }
  }
  return changes;
}

function routesOf({
  services,
}: AccessModel): ReadonlyMap<
  string,
  { readonly service: string; readonly declaration: RouteDeclaration }
> {
  return new Map(
    services.flatMap(({ name, routes }) =>
      routes.map((declaration) => [`${name}/${declaration.path}`, { service: name, declaration }]),
    ),
  );
}

/** Whether anybody may do something to the undeclared routes of a service. */
function isCalled(
  graph: AccessGraph,
  service: string,
  action: RouteDeclaration["actions"][number],
): boolean {
  const resource = entityOf("Route", `${service}/${UNDECLARED}`);
  return graph.classes().some(({ members: [first] }) => {
    return first !== undefined && graph.can(first, actionOf(action), resource).kind !== "deny";
  });
}
