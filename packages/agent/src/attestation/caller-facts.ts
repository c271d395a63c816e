import type { CallerFacts, NamespaceKind, ProcFact } from "@bonafide/plugin-api";
import { parseProcessStat, type ProcessDirectory } from "@bonafide/unix-peer";

/** Reads what procfs says of a caller; what cannot be read says why. Synchronous, about 60 us. */
export function readCallerFacts(directory: ProcessDirectory | undefined): CallerFacts {
  const read = <T>(from: (directory: ProcessDirectory) => T | undefined): ProcFact<T> => {
    if (directory === undefined) return { kind: "unreadable", errno: "ENOENT" };
    try {
      const value = from(directory);
      return value === undefined
        ? { kind: "unreadable", errno: "ENODATA" }
        : { kind: "read", value };
    } catch (error) {
      return { kind: "unreadable", errno: errnoOf(error) };
    }
  };
  const stat = read((proc) => parseProcessStat(proc.text("stat")));
  const link = (name: string): ProcFact<string> =>
    read((proc) => proc.link(name).toString("latin1"));
  const namespace = (kind: NamespaceKind): ProcFact<string> => link(`ns/${kind}`);
  return {
    sessionId: stat.kind === "read" ? { kind: "read", value: stat.value.sessionId } : stat,
    startTicks: stat.kind === "read" ? { kind: "read", value: stat.value.startTicks } : stat,
    executableLink: link("exe"),
    cgroupPath: read((proc) => /^0::(\/.*)$/m.exec(proc.text("cgroup"))?.[1]),
    namespaces: { user: namespace("user"), pid: namespace("pid"), mnt: namespace("mnt") },
  };
}

/** Whether two readings say the same; an error code that differs is a difference. */
export function sameCallerFacts(a: CallerFacts, b: CallerFacts): boolean {
  return (
    same(a.sessionId, b.sessionId) &&
    same(a.startTicks, b.startTicks) &&
    same(a.executableLink, b.executableLink) &&
    same(a.cgroupPath, b.cgroupPath) &&
    same(a.namespaces.user, b.namespaces.user) &&
    same(a.namespaces.pid, b.namespaces.pid) &&
    same(a.namespaces.mnt, b.namespaces.mnt)
  );
}

function same<T>(a: ProcFact<T>, b: ProcFact<T>): boolean {
  if (a.kind === "read") return b.kind === "read" && a.value === b.value;
  return b.kind === "unreadable" && a.errno === b.errno;
}

/** The system's error code, `UNKNOWN` for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "UNKNOWN";
}
