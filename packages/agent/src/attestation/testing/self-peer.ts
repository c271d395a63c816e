import { readFileSync, readlinkSync } from "node:fs";
import type { ProcFact, WorkloadCaller } from "@bonafide/plugin-api";
import { makeWorkloadCaller } from "@bonafide/plugin-api/testing";
import { parseProcessStat } from "@bonafide/unix-peer";

/** A fact that was read. */
export function fact<T>(value: T): ProcFact<T> {
  return { kind: "read", value };
}

/** This process as if it called, with what is given in place of what is true. */
export function selfAsCaller(given: Partial<WorkloadCaller> = {}): WorkloadCaller {
  const stat = parseProcessStat(readFileSync("/proc/self/stat", "latin1"));
  const link = (name: string): ProcFact<string> =>
    fact(readlinkSync(`/proc/self/${name}`, "latin1"));
  return makeWorkloadCaller({
    pid: process.pid,
    facts: {
      sessionId: fact(stat?.sessionId ?? 0),
      startTicks: fact(stat?.startTicks ?? 0n),
      executableLink: link("exe"),
      cgroupPath: fact("/"),
      namespaces: { user: link("ns/user"), pid: link("ns/pid"), mnt: link("ns/mnt") },
    },
    procPath: (name) => `/proc/self/${name}`,
    ...given,
  });
}
