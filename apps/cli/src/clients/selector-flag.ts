import { usage } from "../arguments/parse-flags.ts";

/** A selector given as `type:value`; the value may hold colons. @throws USAGE */
export function selectorOf(text: string): { readonly type: string; readonly value: string } {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) {
    throw usage(`a selector is TYPE:VALUE, such as unix:uid:1000, not ${text}`);
  }
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}
