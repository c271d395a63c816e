import type { Buffer } from "node:buffer";
import { join } from "node:path";
import { openFreshFile } from "../process/fresh-file.ts";

/** Writes a minted SVID as three PEM files, the key for its owner only. @returns their paths @throws OUTPUT_UNWRITABLE */
export function writeSvidFiles(
  folder: string,
  pem: { readonly svid: string; readonly key: string; readonly bundle: string },
): readonly string[] {
  const files = [
    [join(folder, "svid.pem"), pem.svid, 0o644],
    [join(folder, "key.pem"), pem.key, 0o600],
    [join(folder, "bundle.pem"), pem.bundle, 0o644],
  ] as const;
  for (const [path, content, mode] of files) replaceFile(path, content, mode);
  return files.map(([path]) => path);
}

/** Puts a whole file in the place of an older one. @throws OUTPUT_UNWRITABLE */
export function replaceFile(path: string, content: string | Buffer, mode: number): void {
  using file = openFreshFile(path, mode);
  file.write(content);
  file.finish();
}
