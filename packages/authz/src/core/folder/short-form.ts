import type { EntityUid } from "../engine/values.ts";
import { actionOf, entityOf, isActionName } from "../model/entity-names.ts";
import { isSpiffePath } from "../model/spiffe-paths.ts";
import { Fields } from "./fields.ts";

/** A policy in Cedar's JSON policy form, made from the short form. */
export interface ShortPolicy {
  readonly id: string;
  readonly json: unknown;
}

type Report = (reason: string, part: string) => void;

/**
 * Compiles the short form to Cedar: `allow:` with a list of `{id, reason, from, to, actions, expires, approver}`.
 *
 * - `from`: a SPIFFE ID, a prefix that ends in `/*`, `team:NAME`, `group:NAME` or `user:NAME`.
 * - `to`: `SERVICE`, `SERVICE/route`, `table:SERVICE/NAME` or `topic:SERVICE/NAME`.
 * - `actions`: actions, or the groups `read` and `write`; all if there are none.
 */
export function compileShortForm(yaml: unknown, report: Report): readonly ShortPolicy[] {
  const file = new Fields(yaml, report);
  const policies = file.list("allow").flatMap((item) => {
    let faults = 0;
    const fields = new Fields(item, (reason, part) => {
      faults++;
      report(reason, part);
    });
    const [id, reason] = [fields.text("id"), fields.text("reason")];
    const [from, to] = [fields.text("from"), fields.text("to")];
    const actions = fields.texts("actions");
    const [expires, approver] = [fields.optionalText("expires"), fields.optionalText("approver")];
    fields.end();
    const principal = principalScope(from);
    if (principal === undefined) report(`from is nobody: ${from}`, from);
    const unknown = actions.filter((name) => !isActionName(name) && !isGroup(name));
    if (unknown.length > 0) report(`no such action: ${unknown.join(", ")}`, unknown[0] ?? "");
    if (faults > 0 || principal === undefined || unknown.length > 0) return [];
    const optional = { ...(expires && { expires }), ...(approver && { approver }) };
    const json = {
      effect: "permit",
      principal,
      action: actionScope(actions),
      resource: resourceScope(to),
      conditions: [],
      annotations: { id, reason, ...optional },
    };
    return [{ id, json }];
  });
  file.end();
  return policies;
}

function principalScope(from: string): unknown {
  const [kind, name] = from.split(/:(.*)/s);
  if (name !== undefined && name !== "") {
    if (kind === "team") return { op: "in", entity: plain(entityOf("Team", name)) };
    if (kind === "group") return { op: "in", entity: plain(entityOf("Group", name)) };
    if (kind === "user") return { op: "==", entity: plain(entityOf("User", name)) };
  }
  const prefix = from.endsWith("/*") ? from.slice(0, -2) : undefined;
  if (prefix !== undefined) {
    if (!isSpiffePath(prefix)) return undefined;
    // A prefix without a path is the whole trust domain.
    const domain = /^spiffe:\/\/([^/]*)$/.exec(prefix)?.[1];
    const group =
      domain === undefined ? entityOf("IdPath", prefix) : entityOf("TrustDomain", domain);
    return { op: "in", entity: plain(group) };
  }
  return isSpiffePath(from) ? { op: "==", entity: plain(entityOf("Workload", from)) } : undefined;
}

function resourceScope(to: string): unknown {
  if (to.startsWith("table:")) return { op: "==", entity: plain(entityOf("Table", to.slice(6))) };
  if (to.startsWith("topic:")) return { op: "==", entity: plain(entityOf("Topic", to.slice(6))) };
  if (to.includes("/")) return { op: "==", entity: plain(entityOf("Route", to)) };
  return { op: "in", entity: plain(entityOf("Service", to)) };
}

function actionScope(names: readonly string[]): unknown {
  if (names.length === 0) return { op: "All" };
  const entities = names.flatMap((name) =>
    isActionName(name) || isGroup(name) ? [plain(actionOf(name))] : [],
  );
  return { op: "in", entities };
}

function isGroup(name: string): name is "read" | "write" {
  return name === "read" || name === "write";
}

function plain({ type, id }: EntityUid): { readonly type: string; readonly id: string } {
  return { type, id };
}
