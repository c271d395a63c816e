import {
  type ElsewhereEntry,
  type ElsewhereEntrySchema,
  ParentKind,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import type { Entry as WireEntry } from "@bonafide/proto/spire/api/types/entry_pb";
import { trustDomainOf } from "@bonafide/spiffe";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { classifyParents } from "../core/why/classify-elsewhere.ts";
import type { ForeignEntry } from "../core/why/facts.ts";
import { parseEntry, parseWireId } from "./parse-entry.ts";

/**
 * Prepares a server's entries for `why`: with what their parents are. An agent knows its own entries only; whoever may
 * read the server's adds the others.
 *
 * @param entries   Everything that the server has registered.
 * @param agentIds  IDs of all attested agents.
 */
export function elsewhereEntries(
  entries: readonly WireEntry[],
  agentIds: ReadonlySet<string>,
): MessageInitShape<typeof ElsewhereEntrySchema>[] {
  const placed = entries.map(({ spiffeId, parentId, selectors }) => ({
    spiffeId: parseWireId(spiffeId) ?? "",
    parentId: parseWireId(parentId) ?? "",
    selectors: selectors.map(({ type, value }) => ({ type, value })),
  }));
  const parents = classifyParents(placed, agentIds);
  return entries.flatMap((entry, i): MessageInitShape<typeof ElsewhereEntrySchema>[] => {
    const parent = parents[i];
    switch (parent?.kind) {
      case "agent":
        return [{ entry, parent: ParentKind.AGENT }];
      case "alias":
        return [
          {
            entry,
            parent: ParentKind.ALIAS,
            aliasSelectors: parent.selectors.map(({ type, value }) => ({ type, value })),
          },
        ];
      case "unknown":
        return [{ entry, parent: ParentKind.UNKNOWN, nearestParent: parent.nearest ?? "" }];
      default:
        return [];
    }
  });
}

/** Reads what an operator added; entries that no workload of this trust domain could have are left out. */
export function parseElsewhere(
  elsewhere: readonly ElsewhereEntry[],
  world: { readonly agentId: string | undefined; readonly formerIds: readonly string[] },
): ForeignEntry[] {
  const { agentId, formerIds } = world;
  return elsewhere.flatMap(({ entry, parent, aliasSelectors, nearestParent }): ForeignEntry[] => {
    const id = parseWireId(entry?.spiffeId);
    if (entry === undefined || id === undefined) return [];
    // The entry of a node alias is no workload's.
    if (entry.parentId?.path === "/spire/server") return [];
    const parsed = parseEntry(entry, trustDomainOf(id));
    const { parentId } = parsed;
    if (parentId === undefined) return [];
    const own = { entry: { ...parsed, parentId } };
    if (parentId === agentId) return [{ ...own, parent: { kind: "this_agent" } }];
    if (formerIds.includes(parentId)) return [{ ...own, parent: { kind: "former_agent" } }];
    switch (parent) {
      case ParentKind.AGENT:
        return [{ ...own, parent: { kind: "agent" } }];
      case ParentKind.ALIAS: {
        const selectors = aliasSelectors.map(({ type, value }) => ({ type, value }));
        return [{ ...own, parent: { kind: "alias", id: parentId, selectors } }];
      }
      default: {
        const near = nearestParent === "" ? {} : { nearest: nearestParent };
        return [{ ...own, parent: { kind: "unknown", ...near } }];
      }
    }
  });
}
