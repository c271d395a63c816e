export { type DiskUpstreamOptions, openDiskUpstreamAuthority } from "./disk-upstream-authority.ts";
