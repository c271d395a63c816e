import { KNOWN_KINDS, nearestKind, OWN_TYPES } from "@bonafide/agent/selector-kinds";
import { usage } from "../arguments/parse-flags.ts";

/** A selector as the wire has it. */
export interface GivenSelector {
  readonly type: string;
  readonly value: string;
}

/** A selector given as `type:value`; the value may hold colons. @throws USAGE */
export function selectorOf(text: string): GivenSelector {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) {
    throw usage(`a selector is TYPE:VALUE, such as unix:uid:1000, not ${text}`);
  }
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

/**
 * Refuses a selector of a kind that no agent is known to observe: an entry with it never fits, and nobody would say so.
 *
 * @throws USAGE  naming the nearest known kind and all of them
 */
export function checkKind(selector: GivenSelector): void {
  const { type, value } = selector;
  const kind = value.split(":", 1)[0] ?? "";
  const kinds = KNOWN_KINDS[type];
  if (kinds?.includes(kind) === true) return;
  const near = nearestKind(selector);
  const known =
    kinds === undefined
      ? `types are ${Object.keys(KNOWN_KINDS).join(", ")}`
      : `kinds of ${type} are ${kinds.join(", ")}`;
  const meant = near === undefined ? "" : `did you mean ${near}:...? `;
  throw usage(
    `--selector ${type}:${value}: no agent is known to observe ${kinds === undefined ? type : `${type}:${kind}`}; ` +
      `${meant}Known ${known}; --any-selector takes it as it is`,
  );
}

/** Types among these that agents of SPIRE observe and ours do not. */
export function foreignTypes(selectors: readonly GivenSelector[]): readonly string[] {
  return [...new Set(selectors.map(({ type }) => type))].filter((type) => !OWN_TYPES.has(type));
}
