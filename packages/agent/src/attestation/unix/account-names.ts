import { open, stat } from "node:fs/promises";
import { ACCOUNT_FILE_BYTES_MAX } from "../limits.ts";

/** Looks up names of users and groups. Safe for concurrent calls; `undefined` is no such name, or none in time. */
export interface AccountNames {
  user(uid: number, options: { readonly signal: AbortSignal }): Promise<string | undefined>;
  group(gid: number, options: { readonly signal: AbortSignal }): Promise<string | undefined>;
}

/** Paths of {@link accountFiles}. */
export interface AccountFilesOptions {
  /** Default `/etc/passwd`. */
  readonly passwdPath?: string;
  /** Default `/etc/group`. */
  readonly groupPath?: string;
}

/**
 * Names from the local account files only: no directory service is asked, so that a slow one cannot hold up an
 * attestation (ADR-0053). A changed file is read again; one over 4 MiB or not readable gives no names.
 */
export function accountFiles(options: AccountFilesOptions = {}): AccountNames {
  const users = cachedNames(options.passwdPath ?? "/etc/passwd");
  const groups = cachedNames(options.groupPath ?? "/etc/group");
  return {
    user: async (uid) => (await users()).get(uid),
    group: async (gid) => (await groups()).get(gid),
  };
}

type Names = ReadonlyMap<number, string>;

function cachedNames(path: string): () => Promise<Names> {
  let version = "";
  let names: Names = new Map();
  let looking: Promise<Names> | undefined;
  const look = async (): Promise<Names> => {
    try {
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      const now = `${ino}:${size}:${mtimeNs}`;
      if (now === version) return names;
      if (size > BigInt(ACCOUNT_FILE_BYTES_MAX)) return new Map();
      await using file = await open(path, "r");
      const bytes = Buffer.alloc(Number(size));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      names = parseAccounts(bytes.toString("utf8", 0, bytesRead));
      version = now;
      return names;
    } catch {
      // Unreadable names are no names; numbers are attested regardless.
      return new Map();
    } finally {
      looking = undefined;
    }
  };
  // One look serves everybody who asks meanwhile: a caller in a hundred groups costs one.
  return () => (looking ??= look());
}

/** Names by number; the first of several for one number, as getpwuid answers. */
export function parseAccounts(text: string): Names {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (name === undefined || name === "" || name.startsWith("#")) continue;
    if (id === undefined || !/^\d{1,10}$/.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
