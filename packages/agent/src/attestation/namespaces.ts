import { readlinkSync } from "node:fs";
import type { CallerFacts, NamespaceKind } from "@bonafide/plugin-api";

/** Link texts of the agent's own namespaces; what "host" means. */
export type OwnNamespaces = Readonly<Record<NamespaceKind, string>>;

/** Reads the agent's own namespaces; they do not change while it runs. */
export function readOwnNamespaces(): OwnNamespaces {
  return { user: ownNamespace("user"), pid: ownNamespace("pid"), mnt: ownNamespace("mnt") };
}

function ownNamespace(kind: NamespaceKind): string {
  return readlinkSync(`/proc/self/ns/${kind}`, "latin1");
}

/** How a caller's namespace relates to the agent's. */
export function namespaceOf(
  facts: CallerFacts,
  own: OwnNamespaces,
  kind: NamespaceKind,
): "host" | "other" | "unreadable" {
  const fact = facts.namespaces[kind];
  if (fact.kind === "unreadable") return "unreadable";
  return fact.value === own[kind] ? "host" : "other";
}
