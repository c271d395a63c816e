export {
  createSpireUpstreamAuthority,
  type SpireUpstreamOptions,
} from "./spire-upstream-authority.ts";
