import type { Preview } from "@bonafide/proto/bonafide/admin/v1/entries_pb";

/** Ids shown of one node's gains or losses. */
const SHOWN_MAX = 5;

/** What a dry run found, as JSON shows it; stable. */
export interface DescribedPreview {
  readonly nodes: number;
  readonly effects: readonly {
    readonly nodeId: string;
    readonly gained: readonly string[];
    readonly lost: readonly string[];
  }[];
  readonly relations: readonly {
    readonly code: string;
    readonly text: string;
    readonly entryId: string;
    readonly spiffeId: string;
  }[];
}

/** What a dry run found, as JSON shows it. */
export function previewJson({ nodes, effects, relations }: Preview): DescribedPreview {
  return {
    nodes,
    effects: effects.map(({ nodeId, gained, lost }) => ({ nodeId, gained, lost })),
    relations: relations.map(({ code, text, entryId, spiffeId }) => ({
      code,
      text,
      entryId,
      spiffeId,
    })),
  };
}

/** What a dry run found, for people. */
export function previewText(preview: DescribedPreview): string {
  const { nodes, effects, relations } = preview;
  const lines = [
    nodes === 0
      ? "no node is concerned"
      : `${nodes} ${nodes === 1 ? "node is" : "nodes are"} concerned`,
  ];
  for (const { nodeId, gained, lost } of effects) {
    if (gained.length > 0) lines.push(`  ${nodeId} gains ${idsText(gained)}`);
    if (lost.length > 0) lines.push(`  ${nodeId} loses ${idsText(lost)}`);
  }
  if (nodes > effects.length && effects.length > 0) {
    lines.push(`  of the other ${nodes - effects.length} nothing is shown, or nothing changes`);
  }
  for (const { code, text, entryId, spiffeId } of relations) {
    lines.push(`entry ${entryId} (${spiffeId}): ${text} (${code})`);
  }
  return lines.join("\n");
}

function idsText(ids: readonly string[]): string {
  const more = ids.length - SHOWN_MAX;
  const shown = ids.slice(0, SHOWN_MAX).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
