import { type Access, type EntityUid, nameOf, type SourcedPolicy } from "@bonafide/authz";

/** Conditions as people read them: `, only if A, and B`; nothing for none. */
export function conditionText(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `, only if ${conditions.join(", and ")}`;
}

/** Access for machines. */
export function accessJson({
  kind,
  policies,
  conditions,
}: Access): Readonly<Record<string, unknown>> {
  return { access: kind, policies, conditions };
}

/** Several callers in one line: `a`, or `a and 3 like it`. */
export function callersText(principals: readonly EntityUid[]): string {
  return principals.map(nameOf).join(", ");
}

/** Where policies stand: `team/id (file:line)`. */
export function policiesText(
  ids: readonly string[],
  policies: readonly SourcedPolicy[],
): readonly string[] {
  const places = new Map(policies.map(({ id, file, line }) => [id, `${file}:${line}`]));
  return ids.map((id) => `${id} (${places.get(id) ?? "?"})`);
}
