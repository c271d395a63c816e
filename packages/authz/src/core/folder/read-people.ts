import type { DeviceDeclaration, UserDeclaration, WorkloadDeclaration } from "../model/model.ts";
import { isSpiffePath } from "../model/spiffe-paths.ts";
import { Fields, oneOf } from "./fields.ts";
import type { Report } from "./finding.ts";

const KINDS = ["service", "job", "ai-agent", "node"] as const;

/** Who can call besides workloads. */
export interface People {
  readonly users: readonly UserDeclaration[];
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly devices: readonly DeviceDeclaration[];
}

/** Reads `workloads.yaml`. */
export function readWorkloads(yaml: unknown, report: Report): readonly WorkloadDeclaration[] {
  const file = new Fields(yaml ?? {}, report);
  const workloads = file.parts("workloads").flatMap(([id, json]) => {
    const fields = new Fields(json ?? {}, report);
    const kind = oneOf(KINDS, fields.optionalText("kind") ?? "service");
    const attested = fields.texts("attested");
    fields.end();
    if (kind === undefined) report(`a workload is one of ${KINDS.join(", ")}`, id);
    if (!isSpiffePath(id)) report(`not a SPIFFE ID: ${id}`, id);
    return kind === undefined || !isSpiffePath(id) ? [] : [{ id, kind, attested }];
  });
  file.end();
  return workloads;
}

/** Reads `people.yaml`: users and groups with the groups they are in, devices with their owner and posture. */
export function readPeople(yaml: unknown, report: Report): People {
  const file = new Fields(yaml ?? {}, report);
  const listed = (name: string): [string, readonly string[]][] =>
    file.parts(name).map(([key, groups]) => [key, new Fields({ groups }, report).texts("groups")]);
  const users = listed("users").map(([name, groups]) => ({ name, groups }));
  const groups = new Map(listed("groups"));
  const known = new Set(users.map(({ name }) => name));
  const devices = file.parts("devices").map(([name, json]) => {
    const fields = new Fields(json ?? {}, report);
    const device = {
      name,
      owner: fields.optionalText("owner"),
      posture: fields.texts("posture"),
      groups: fields.texts("groups"),
    };
    fields.end();
    if (device.owner !== undefined && !known.has(device.owner)) {
      report(`device ${name} is owned by ${device.owner}, who is no user`, name);
    }
    return device;
  });
  file.end();
  return { users, groups, devices };
}
