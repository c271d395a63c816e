export { openTestServer, type TestServer, type TestServerOptions } from "./open-test-server.ts";
export {
  attack,
  attackSeed,
  describeAttack,
  type AttackOptions,
  type AttackReport,
  type HostileTarget,
} from "./hostile/attack.ts";
export { type HostileDoor, targetsOf } from "./hostile/door.ts";
export { heldResources, type HeldResources } from "./hostile/held-resources.ts";
export { assertNothingKept, longAttack, type LongAttackReport } from "./hostile/long-attack.ts";
export {
  type Attacked,
  openVictim,
  serveVictim,
  type Victim,
  type VictimState,
} from "./hostile/victim.ts";
