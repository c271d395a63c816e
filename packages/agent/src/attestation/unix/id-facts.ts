import type { WorkloadCaller, WorkloadFacts } from "@bonafide/plugin-api";
import { overflowIds } from "@bonafide/unix-peer";
import { GROUPS_MAX } from "../limits.ts";
import type { AccountNames } from "./account-names.ts";
import { found, missing, together, type UnixKind } from "./facts.ts";

/** `uid`, `user`, `gid`, `group` and the supplementary ones; the numbers are those of the socket. */
export async function idFacts(
  caller: WorkloadCaller,
  names: AccountNames,
  signal: AbortSignal,
): Promise<WorkloadFacts> {
  const { uid, gid, groups } = caller;
  const [user, group, supplementary] = await Promise.all([
    names.user(uid, { signal }),
    names.group(gid, { signal }),
    supplementaryFacts(groups, names, signal),
  ]);
  return together([
    found("uid", uid, "SO_PEERCRED"),
    named("user", user, `uid ${uid}`),
    found("gid", gid, "SO_PEERCRED"),
    named("group", group, `gid ${gid}`),
    supplementary,
  ]);
}

async function supplementaryFacts(
  groups: readonly number[],
  names: AccountNames,
  signal: AbortSignal,
): Promise<WorkloadFacts> {
  if (groups.length > GROUPS_MAX) {
    // Some of them would be a choice, and a wrong one for somebody.
    const text = `the process is in ${groups.length} groups, more than ${GROUPS_MAX}`;
    return together([
      missing("supplementary_gid", "attestor.too_large", text),
      missing("supplementary_group", "attestor.too_large", text),
    ]);
  }
  const { gids } = overflowIds();
  const facts = groups.map(async (gid) => {
    if (gids.has(gid)) {
      const text = `group ${gid} stands for any group unknown here`;
      return missing("supplementary_gid", "attestor.not_readable", text);
    }
    const name = await names.group(gid, { signal });
    return together([
      found("supplementary_gid", gid, "SO_PEERGROUPS"),
      named("supplementary_group", name, `gid ${gid}`),
    ]);
  });
  return together(await Promise.all(facts));
}

function named(kind: UnixKind, name: string | undefined, id: string): WorkloadFacts {
  return name === undefined
    ? missing(kind, "attestor.name_unresolved", `${id} has no name on this machine`)
    : found(kind, name, "/etc/passwd and /etc/group");
}
