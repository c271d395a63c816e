import { readFileSync } from "node:fs";

/**
 * Where the agent itself sees the cgroup v2 tree, from its own mountinfo; undefined when it sees none, or only a part
 * whose root is not the root of its cgroup namespace.
 */
export function findCgroup2Mount(mountinfo: string = readOwnMountinfo()): string | undefined {
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const [, , , root, point] = before?.split(" ") ?? [];
    if (after?.startsWith("cgroup2 ") === true && root === "/" && point !== undefined) {
      return point.replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
    }
  }
  return undefined;
}

function readOwnMountinfo(): string {
  return readFileSync("/proc/self/mountinfo", "latin1");
}
