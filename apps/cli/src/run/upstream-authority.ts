import { resolve } from "node:path";
import type { Clock, Log } from "@bonafide/lifetime";
import type { UpstreamAuthority } from "@bonafide/plugin-api";
import { openDiskUpstreamAuthority } from "@bonafide/upstream-authority-disk";
import { createSpireUpstreamAuthority } from "@bonafide/upstream-authority-spire";
import type { ServerConfig } from "../config/server-config.ts";

/**
 * The upstream authority that a server's file names; undefined: there is none.
 *
 * @throws UPSTREAM_AUTHORITY_INVALID, UPSTREAM_AUTHORITY_UNAVAILABLE  its files cannot be used
 */
export async function openUpstreamAuthority(
  { trust_domain: trustDomain, upstream_authority: config }: ServerConfig,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<UpstreamAuthority | undefined> {
  const { disk, spire } = config ?? {};
  if (disk !== undefined) {
    return openDiskUpstreamAuthority({
      ...deps,
      trustDomain,
      certificatePath: disk.certificate_path,
      privateKeyPath: disk.private_key_path,
      bundlePath: disk.bundle_path,
    });
  }
  if (spire === undefined) return undefined;
  return createSpireUpstreamAuthority({
    ...deps,
    trustDomain,
    serverAddress: spire.server_address,
    hint: spire.hint,
    workloadApi: `unix://${resolve(spire.workload_api_socket)}`,
  });
}
