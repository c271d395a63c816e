import type { CommandEntry } from "../program.ts";

/** Every command, in the order of help. */
export const COMMANDS: readonly CommandEntry[] = [];
