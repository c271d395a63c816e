const PART = "[a-z0-9][a-z0-9._-]{0,62}";
const NAME = new RegExp(`^${PART}(?:/${PART}){0,3}$`);

/** Whether a text is the name of a workload: 1 to 4 parts of `[a-z0-9][a-z0-9._-]{0,62}`, joined by slashes. */
export function isSlotName(text: string): boolean {
  return text.length <= 256 && NAME.test(text);
}

/** Which names a uid may give. */
export interface NamePermission {
  readonly uid: number;
  /** `*` for all, or a name such as `ci` that stands for `ci` and `ci/...`. */
  readonly names: readonly string[];
}

/** Whether the uid may register this name. No permission, no name. */
export function mayRegister(
  permissions: readonly NamePermission[],
  uid: number,
  name: string,
): boolean {
  return permissions.some(
    (permission) =>
      permission.uid === uid &&
      permission.names.some(
        (allowed) => allowed === "*" || name === allowed || name.startsWith(`${allowed}/`),
      ),
  );
}
