// The launcher's client half, an entry of its own: a program that is started under a name should not load an agent first.
export { become, type BecomeOptions } from "./become.ts";
export { execAs, type ExecAsOptions, type Launched, type LaunchEnd } from "./exec-as.ts";
