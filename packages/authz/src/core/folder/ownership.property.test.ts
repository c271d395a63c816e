import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkOwnership,
  compilePolicies,
  decide,
  EMPTY_RECORD,
  type EntityUid,
  type Folder,
  type FolderParsers,
  modelEntities,
  readFolder,
} from "../../index.ts";
import { Random } from "../../testing/random.ts";
import { actionOf, entityOf } from "../model/entity-names.ts";

// 50 teams, 500 services. Whatever one team puts into its folder: either the change is refused, or nobody's access to
// what other teams own has changed.

const TEAMS = 50;
const SERVICES_PER_TEAM = 10;
const SEQUENCES = 60;
const CHANGES = 4;
const SEED = Number(process.env["AUTHZ_FUZZ_SEED"] ?? 4);

/** Files are JSON here, which is YAML; and a policy is its JSON form. */
const parsers: FolderParsers = {
  cedar: (text) => JSON.parse(text),
  yaml: (text) => JSON.parse(text),
};

const teamName = (team: number): string => `t${team}`;
const serviceName = (team: number, service: number): string => `s${team}-${service}`;
const workloadOf = (team: number): string => `spiffe://example.org/ns/t${team}/app`;

function baseFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const teams = Array.from({ length: TEAMS }, (_, team) => team);
  const put = (path: string, json: unknown): unknown => files.set(path, JSON.stringify(json));
  put("org.yaml", {
    trustDomain: "example.org",
    owners: ["@org"],
    teams: Object.fromEntries(
      teams.map((team) => [
        teamName(team),
        { owners: [`@${team}`], ids: [`spiffe://example.org/ns/t${team}`] },
      ]),
    ),
  });
  put("workloads.yaml", {
    workloads: Object.fromEntries(teams.map((team) => [workloadOf(team), {}])),
  });
  for (const team of teams) {
    const services = Array.from({ length: SERVICES_PER_TEAM }, (_, n) => serviceName(team, n));
    put(`teams/t${team}/team.yaml`, {
      services: Object.fromEntries(services.map((name) => [name, {}])),
    });
    put(`teams/t${team}/policies/base.yaml`, {
      allow: services.map((name, n) => ({
        id: `base-${n}`,
        reason: "base",
        from: `team:t${(team + n + 1) % TEAMS}`,
        to: name,
        actions: n % 2 === 0 ? ["read"] : [],
      })),
    });
  }
  return files;
}

/** One thing that somebody with the right to write in a team's folder can do. */
function change(random: Random, team: number, files: Map<string, string>): void {
  const folder = `teams/t${team}`;
  const anyTeam = random.chance(50) ? team : random.below(TEAMS);
  const anyService = serviceName(anyTeam, random.below(SERVICES_PER_TEAM));
  const number = random.below(1000);
  const put = (path: string, json: unknown): unknown =>
    files.set(`${folder}/${path}`, JSON.stringify(json));
  const { type, id } = random.pick<EntityUid>([
    entityOf("Service", anyService),
    entityOf("Route", `${anyService}/?`),
    entityOf("Team", teamName(anyTeam)),
    entityOf("Tag", "shared"),
    entityOf("TrustDomain", "example.org"),
  ]);
  const caller = random.pick([
    { op: "All" },
    { op: "in", entity: { type: "BF::TrustDomain", id: "example.org" } },
    { op: "==", entity: { type: "BF::Workload", id: workloadOf(random.below(TEAMS)) } },
  ]);
  const resource = random.pick<unknown>([
    { op: "All" },
    { op: "in", entity: { type, id } },
    { op: "==", entity: { type, id } },
    { op: "is", entity_type: "BF::Route" },
    { op: "is", entity_type: "BF::Route", in: { entity: { type, id } } },
  ]);
  const effect = random.pick(["permit", "forbid"]);
  switch (random.below(6)) {
    case 0:
      files.delete(`${folder}/policies/base.yaml`);
      return;
    case 1:
      put("team.yaml", { services: { [anyService]: {}, [`new-${number}`]: {} } });
      return;
    case 2:
      put(`routes/r${number}.yaml`, {
        service: anyService,
        routes: [{ path: `v${number}`, methods: ["GET"], tags: ["shared"] }],
      });
      return;
    case 3:
      put(`policies/p${number}.yaml`, {
        allow: [{ id: `p-${number}`, reason: "y", from: `team:t${team}`, to: anyService }],
      });
      return;
    default:
      put(`policies/p${number}.cedar`, {
        effect,
        principal: caller,
        action: { op: "All" },
        resource,
        conditions: [],
        annotations: { id: `p-${number}`, reason: "y" },
      });
  }
}

/** Each decision over a sample of callers and of what others than `team` own. */
function accessToOthers({ model, policies }: Folder, team: number, random: Random): string {
  const compiled = compilePolicies(policies.map(({ id, json }) => [id, json]));
  const entities = modelEntities(model);
  const context = EMPTY_RECORD;
  const answers: string[] = [];
  for (let cell = 0; cell < 4000; cell++) {
    const owner = (team + 1 + random.below(TEAMS - 1)) % TEAMS;
    const service = serviceName(owner, random.below(SERVICES_PER_TEAM));
    // Callers that the base lets in are likelier to show a loss.
    const caller = random.chance(50) ? (owner + random.below(12)) % TEAMS : random.below(TEAMS);
    const { decision, determining } = decide(compiled, entities, {
      principal: entityOf("Workload", workloadOf(random.chance(20) ? team : caller)),
      action: actionOf(random.chance(50) ? "http.GET" : "http.POST"),
      resource: entityOf("Route", `${service}/?`),
      context,
    });
    answers.push(`${decision} ${determining.join()}`);
  }
  return answers.join("\n");
}

test(`no changes of one team alter access to another's resources, from seed ${SEED}`, (t) => {
  const { folder: base, findings } = readFolder(baseFiles(), parsers);
  assert.deepEqual([...findings, ...checkOwnership(base)], []);
  let accepted = 0;
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const random = new Random(SEED * 1000 + sequence);
    const team = random.below(TEAMS);
    let files = baseFiles();
    let current = base;
    for (let step = 0; step < CHANGES; step++) {
      const tried = new Map(files);
      change(random, team, tried);
      const { folder, findings: faults } = readFolder(tried, parsers);
      if (faults.length > 0 || checkOwnership(folder).length > 0) continue;
      accepted++;
      files = tried;
      current = folder;
    }
    if (current === base) continue;
    const cells = SEED * 1000 + sequence;
    const before = accessToOthers(base, team, new Random(cells));
    assert.ok(before.includes("allow"));
    assert.equal(accessToOthers(current, team, new Random(cells)), before, `team t${team}`);
  }
  t.diagnostic(`${accepted} of ${SEQUENCES * CHANGES} changes accepted`);
  assert.ok(accepted > SEQUENCES / 2 && accepted < SEQUENCES * CHANGES);
});
