import { parseDatetime } from "../engine/scalars.ts";
import { reachablesOf } from "../model/model.ts";
import { type Finding, lineOf } from "./finding.ts";
import type { Folder, SourcedPolicy } from "./folder.ts";
import { graphOfFolder } from "./graph-of-folder.ts";
import { latentPermits } from "./latent-permits.ts";
import { unlistedCallers } from "./unlisted-callers.ts";

/** Something that is in order and should be looked at. */
export type Warning = Pick<Finding, "file" | "line" | "reason">;

const DAY_MS = 24 * 3_600_000;
/** How long before its end a policy is told of. */
const EXPIRES_WITHIN_DAYS = 30;

/**
 * What to look at in a folder without findings: permits that end soon or have ended (R6), permits that give nobody
 * anything, services of which nobody says who serves them, so that chains of calls end there.
 *
 * @param options.now  Epoch ms.
 */
export function folderWarnings(
  folder: Folder,
  { now }: { readonly now: number },
): readonly Warning[] {
  const enforced = folder.policies.filter(({ shadow }) => !shadow);
  const { parts } = graphOfFolder(folder, { unlisted: unlistedCallers([folder]) });
  const latent = latentPermits(parts, reachablesOf(folder.model), enforced);
  const warnings = [
    ...enforced.flatMap((policy) => expiryOf(policy, now)),
    ...latent.map(({ policyId, file, line }) => ({
      file,
      line,
      reason: `${policyId} gives nobody anything yet`,
    })),
    ...servedByNobody(folder),
  ];
  return warnings.toSorted((a, b) =>
    a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
  );
}

function expiryOf({ id, file, line, policy }: SourcedPolicy, now: number): readonly Warning[] {
  const text = policy.annotations.get("expires");
  const end = text === undefined ? undefined : parseDatetime(text);
  if (text === undefined || end === undefined) return [];
  const days = Math.ceil((Number(end.epochMs) - now) / DAY_MS);
  if (days > EXPIRES_WITHIN_DAYS) return [];
  const when = days > 0 ? `ends in ${days} ${days === 1 ? "day" : "days"}` : "has ended";
  return [{ file, line, reason: `${id} ${when} (${text})` }];
}

function servedByNobody({ model, files }: Folder): readonly Warning[] {
  return model.services
    .filter(({ servedBy }) => servedBy.length === 0)
    .map(({ name, team }) => {
      const file = `teams/${team}/team.yaml`;
      const reason = `${name} has no servedBy: chains of calls are not followed through it`;
      return { file, line: lineOf(files.get(file) ?? "", `${name}:`), reason };
    });
}
