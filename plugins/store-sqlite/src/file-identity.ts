import { statSync, unlinkSync } from "node:fs";

/** Which file a path names now; undefined: none. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** Asks the file system. */
export function fileIdentity(path: string): FileIdentity | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : { device: stat.dev, inode: stat.ino };
}

/** Whether both name one file. */
export function isSameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return a !== undefined && a.device === b?.device && a.inode === b.inode;
}

/** Removes what is at the path if it is still this file. */
export function unlinkIfSame(path: string, identity: FileIdentity | undefined): void {
  if (isSameFile(identity, fileIdentity(path))) unlinkSync(path);
}
