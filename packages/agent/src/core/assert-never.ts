/** Marks a branch that the types exclude; reaching it is a bug, not an answer. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value ${JSON.stringify(value)}`);
}
