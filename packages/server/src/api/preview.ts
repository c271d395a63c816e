import { type Preview, PreviewSchema } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { create } from "@bufbuild/protobuf";
import {
  type EntryRelation,
  type PreviewedChange,
  type PreviewedState,
  previewEntry,
} from "../core/preview-entry.ts";
import type { RegistryView } from "../lane/registry-view.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";

const TEXTS: Readonly<Record<EntryRelation["code"], string>> = {
  "entry.redundant": "every process that fits has this identity already by the other entry",
  "entry.makes_redundant": "the other entry is not needed any more: this one covers all it gives",
  "entry.shadowed":
    "the other entry has this hint and is older: agents that show one identity a hint show that one",
  "entry.shadowed_for_some":
    "the other entry has this hint and is older: processes that fit both may be shown that one only",
  "entry.identity_stays": "processes that fit keep this identity by the other entry",
  "entry.unshadows":
    "the other entry has this hint: agents that show one identity a hint show that one from then on",
};

/** What a change would do to the state that this server has adopted, as the wire has it. */
export function previewOf(
  { registry, clock }: Pick<ServiceDeps, "registry" | "clock">,
  { trustDomain }: Pick<ServiceOptions, "trustDomain">,
  change: PreviewedChange,
): Preview {
  const { nodes, effects, relations } = previewEntry(
    stateOf(registry),
    change,
    trustDomain,
    clock.now(),
  );
  return create(PreviewSchema, {
    nodes,
    effects: effects.map(({ nodeId, gained, lost }) => ({
      nodeId,
      gained: [...gained],
      lost: [...lost],
    })),
    relations: relations.map(({ code, entry }) => ({
      code,
      text: TEXTS[code],
      entryId: entry.id,
      spiffeId: entry.spiffeId,
    })),
  });
}

function stateOf(view: RegistryView): PreviewedState {
  return {
    entriesByParent: (id) => Array.from(view.entriesByParent(id), ({ object }) => object),
    entriesBySpiffeId: (id) => Array.from(view.entriesBySpiffeId(id), ({ object }) => object),
    liveNodes: () =>
      Array.from(view.all("node"), ({ object }) => object).filter(({ state }) => state === "live"),
  };
}
