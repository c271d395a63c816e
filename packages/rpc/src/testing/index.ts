export { openTestServer, type TestServer, type TestServerOptions } from "./open-test-server.ts";
export {
  attack,
  attackSeed,
  describeAttack,
  type AttackOptions,
  type AttackReport,
  type HostileTarget,
} from "./hostile/attack.ts";
export { heldResources, type HeldResources } from "./hostile/held-resources.ts";
export { assertNothingKept, longAttack, type LongAttackReport } from "./hostile/long-attack.ts";
