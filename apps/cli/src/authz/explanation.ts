import {
  type AuthzRequest,
  type Explanation,
  nameOf,
  type PolicyAccount,
  type SourcedPolicy,
} from "@bonafide/authz";

/** Where a policy stands, if its folder is at hand. */
export type Places = ReadonlyMap<string, Pick<SourcedPolicy, "file" | "line">>;

/** Why a request was allowed or denied, for people: the answer, then each policy about the resource. */
export function explanationText(
  request: AuthzRequest,
  { verdict, accounts }: Explanation,
  places: Places,
): string {
  const { allowed, alarm, decision } = verdict;
  const what = `${nameOf(request.principal)} ${allowed ? "may" : "may not"} ${request.action.id} ${nameOf(request.resource)}`;
  const lines = [`${allowed ? "allowed" : "denied"}: ${what}`];
  if (alarm) lines.push("  a forbid erred, which denies and has to be looked at");
  else if (decision.determining.length === 0) lines.push("  nothing permits it");
  for (const account of ordered(accounts)) {
    const place = places.get(account.policyId);
    const where = place === undefined ? "" : ` (${place.file}:${place.line})`;
    lines.push(`  ${account.effect} ${account.policyId}${where}: ${outcomeText(account)}`);
  }
  return lines.join("\n");
}

/** The same for machines. */
export function explanationJson(
  request: AuthzRequest,
  { verdict, accounts }: Explanation,
  places: Places,
): Readonly<Record<string, unknown>> {
  return {
    principal: nameOf(request.principal),
    action: request.action.id,
    resource: nameOf(request.resource),
    allowed: verdict.allowed,
    alarm: verdict.alarm,
    determining: verdict.decision.determining,
    faults: verdict.decision.faults,
    policies: ordered(accounts).map((account) => ({
      ...account,
      ...placeOf(account.policyId, places),
    })),
  };
}

const ORDER: readonly PolicyAccount["outcome"][] = [
  "errs",
  "holds",
  "fails",
  "other-principal",
  "other-action",
];

/** What decided first, then what came near. */
function ordered(accounts: readonly PolicyAccount[]): readonly PolicyAccount[] {
  return accounts.toSorted(
    (a, b) =>
      ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome) ||
      a.effect.localeCompare(b.effect, "en") ||
      a.policyId.localeCompare(b.policyId, "en"),
  );
}

function outcomeText({ outcome, condition, fault }: PolicyAccount): string {
  switch (outcome) {
    case "holds":
      return "holds";
    case "fails":
      return `does not hold: ${condition ?? ""} is false`;
    case "errs":
      return `errs at ${condition ?? ""} (${fault ?? ""})`;
    case "other-principal":
      return "is about other callers";
    default:
      return "is about other actions";
  }
}

function placeOf(policyId: string, places: Places): Partial<Pick<SourcedPolicy, "file" | "line">> {
  const place = places.get(policyId);
  return place === undefined ? {} : { file: place.file, line: place.line };
}
