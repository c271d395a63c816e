/**
 * Names a set of selectors so that two different sets never get the same name. Selector values are free text: a path may
 * hold any byte but NUL, so no character can separate them.
 */
export function groupKey(
  selectors: readonly { readonly type: string; readonly value: string }[],
): string {
  return JSON.stringify(selectors.map(({ type, value }) => [type, value]));
}
