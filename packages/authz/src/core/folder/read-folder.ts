import { isBonafideError } from "@bonafide/errors";
import { MODEL_FILE_CHARACTERS_MAX, MODEL_FILES_MAX } from "../../limits.ts";
import { isJsonArray, isJsonObject } from "../engine/json.ts";
import { parsePolicy } from "../engine/policy.ts";
import { parseDatetime } from "../engine/scalars.ts";
import { ownerOfId, type ServiceDeclaration } from "../model/model.ts";
import { RouteTable } from "../model/route-table.ts";
import { isSpiffePath } from "../model/spiffe-paths.ts";
import { Fields } from "./fields.ts";
import { type Finding, type FindingRule, lineOf, lineOfId, type Report } from "./finding.ts";
import type { AccessAsk, Folder, Org, SourcedPolicy, Team } from "./folder.ts";
import { readPeople, readWorkloads } from "./read-people.ts";
import { readRoute, readThing, reportClasses } from "./read-routes.ts";
import { readTests, type SourcedTest } from "./read-tests.ts";
import { unseenIn, unseenText, visible } from "./seen-text.ts";
import { compileShortForm } from "./short-form.ts";
import { splitCedar } from "./split-cedar.ts";

/** The languages of a folder; given by the caller, so that this package holds no parser. Both throw on bad text. */
export interface FolderParsers {
  /** One policy of Cedar's text form in the JSON policy form. */
  readonly cedar: (text: string) => unknown;
  readonly yaml: (text: string) => unknown;
}

/** A folder, and what is wrong with its files one by one. With findings, the folder is not to be used. */
export interface ReadFolder {
  readonly folder: Folder;
  readonly findings: readonly Finding[];
}

/** @see readFolder */
const TEAM_FILE = /^teams\/([a-z0-9][a-z0-9-]{0,62})\/(.+)$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const POLICY_ID = /^[a-z0-9][a-z0-9-]{0,126}$/;
/**
 * Reads an access model from its files, by path relative to its folder.
 *
 * `org.yaml` (teams, their SPIFFE prefixes, approvers), `workloads.yaml` and `people.yaml` (written by machines),
 * `guardrails/*.cedar`, and per team `teams/T/team.yaml`, `routes/*.yaml`, `policies/` and `shadow/` with `*.cedar` or
 * the short form as `*.yaml`, `requests/*.yaml`, `tests/*.yaml`; the organisation's `tests/*.yaml`. Any other file is a finding: what nobody reads protects
 * nobody. Check it with {@link checkOwnership} before use.
 */
export function readFolder(files: ReadonlyMap<string, string>, parsers: FolderParsers): ReadFolder {
  return new FolderReader(files, parsers).read();
}

class FolderReader {
  readonly #files: ReadonlyMap<string, string>;
  readonly #parsers: FolderParsers;
  readonly #findings: Finding[] = [];
  readonly #policies: SourcedPolicy[] = [];
  readonly #ids = new Set<string>();
  readonly #asks: AccessAsk[] = [];
  readonly #tests: SourcedTest[] = [];
  readonly #services = new Map<string, OwnedService>();
  readonly #parts = new Map<string, ServiceParts>();

  constructor(files: ReadonlyMap<string, string>, parsers: FolderParsers) {
    this.#files = files;
    this.#parsers = parsers;
  }

  read(): ReadFolder {
    const { org, trustDomain, federated } = this.#readOrg();
    const idOwners = new Map<string, string>();
    for (const { name, ids } of org.teams.values()) for (const id of ids) idOwners.set(id, name);
    const workloads = readWorkloads(...this.#yaml("workloads.yaml", false));
    const people = readPeople(...this.#yaml("people.yaml", false));
    const paths = [...this.#files.keys()].toSorted();
    if (paths.length > MODEL_FILES_MAX) this.#report("", "too many files", 1, "model");
    // Services come before routes, wherever their files stand.
    for (const path of paths)
      if (path.endsWith("/team.yaml")) this.#readTeamFile(path, idOwners, org);
    for (const path of paths.slice(0, MODEL_FILES_MAX)) this.#readFile(path, org);
    const services: ServiceDeclaration[] = [...this.#services].map(([name, owned]) => ({
      name,
      ...owned,
      ...(this.#parts.get(name) ?? { routes: [], tables: [], topics: [] }),
    }));
    const model = { trustDomain, federated, idOwners, services, workloads, ...people };
    return {
      folder: {
        files: this.#files,
        org,
        model,
        policies: this.#policies,
        asks: this.#asks,
        tests: this.#tests,
      },
      findings: this.#findings,
    };
  }

  #readFile(path: string, org: Org): void {
    const why = unseenIn(path);
    if (why !== undefined) return this.#report(visible(path), `the name ${why}`, 1, "model");
    if (/^(?:org|workloads|people)\.yaml$/.test(path) || path.endsWith("/team.yaml")) return;
    if (/^guardrails\/[^/]+\.cedar$/.test(path)) return this.#readCedar(path, undefined, false);
    if (/^tests\/[^/]+\.yaml$/.test(path)) return this.#readTests(path, undefined);
    const [, team, rest = ""] = TEAM_FILE.exec(path) ?? [];
    if (team === undefined || !org.teams.has(team)) {
      return this.#report(path, "the file lies in no folder of a team in org.yaml", 1, "model");
    }
    const [, kind, form] =
      /^(policies|shadow|routes|requests|tests)\/[^/]+\.(cedar|yaml)$/.exec(rest) ?? [];
    const isPolicy = kind === "policies" || kind === "shadow";
    if (isPolicy && form === "cedar") return this.#readCedar(path, team, kind === "shadow");
    if (isPolicy) return this.#readShort(path, team, kind === "shadow");
    if (kind === "routes" && form === "yaml") return this.#readRoutes(path, team);
    if (kind === "requests" && form === "yaml") return this.#readAsk(path);
    if (kind === "tests" && form === "yaml") return this.#readTests(path, team);
    return this.#report(path, "nothing reads a file of this name", 1, "model");
  }

  #readOrg(): { org: Org; trustDomain: string; federated: readonly string[] } {
    const [yaml, report] = this.#yaml("org.yaml", true);
    const file = new Fields(yaml, report);
    const trustDomain = file.text("trustDomain");
    if (!isSpiffePath(`spiffe://${trustDomain}`)) report("not a trust domain", trustDomain);
    const teams = new Map<string, Team>();
    for (const [name, json] of file.parts("teams")) {
      if (!NAME.test(name)) report(`not a name of a team: ${name}`, name);
      const fields = new Fields(json, report);
      const owners = fields.texts("owners");
      const ids = fields.texts("ids");
      const parent = fields.optionalText("parent");
      fields.end();
      for (const id of ids) if (!isSpiffePath(id)) report(`not a SPIFFE ID: ${id}`, id);
      teams.set(name, { name, owners, ids: ids.filter(isSpiffePath), parent });
    }
    const approvers = file.parts("approvers").flatMap(([name, approver]) => {
      if (typeof approver === "string") return [[name, approver] as const];
      report(`the approver of ${name} is no text`, name);
      return [];
    });
    const org = { teams, owners: file.texts("owners"), approvers: new Map(approvers) };
    const federated = file.texts("federated");
    file.end();
    return { org, trustDomain, federated };
  }

  #readTeamFile(path: string, idOwners: ReadonlyMap<string, string>, org: Org): void {
    const [, team, rest] = TEAM_FILE.exec(path) ?? [];
    if (team === undefined || rest !== "team.yaml" || !org.teams.has(team)) {
      return this.#report(path, "the file lies in no folder of a team in org.yaml", 1, "model");
    }
    const [yaml, report] = this.#yaml(path, true);
    const file = new Fields(yaml ?? {}, report);
    for (const [name, json] of file.parts("services")) {
      const fields = new Fields(json ?? {}, report);
      const [data, servedBy] = [fields.texts("data"), fields.texts("servedBy")];
      fields.end();
      reportClasses(data, report);
      for (const id of servedBy) {
        if (!isSpiffePath(id)) report(`not a SPIFFE ID: ${id}`, id);
        else if (ownerOfId(idOwners, id) !== team) report(`${id} is not ${team}'s`, id, "R3");
      }
      const other = this.#services.get(name);
      if (!NAME.test(name)) report(`not a name of a service: ${name}`, name);
      else if (other !== undefined) report(`service ${name} is ${other.team}'s`, name, "R3");
      else this.#services.set(name, { team, data, servedBy: servedBy.filter(isSpiffePath) });
    }
    file.end();
  }

  #readRoutes(path: string, team: string): void {
    const [yaml, report] = this.#yaml(path, true);
    const file = new Fields(yaml, report);
    const service = file.text("service");
    const routes = file.list("routes").flatMap((json) => readRoute(json, report));
    const tables = file.list("tables").flatMap((json) => readThing(json, report));
    const topics = file.list("topics").flatMap((json) => readThing(json, report));
    file.end();
    if (this.#services.get(service)?.team !== team) {
      return report(`service ${service} is not ${team}'s to declare`, service, "R3");
    }
    const before = this.#parts.get(service) ?? { routes: [], tables: [], topics: [] };
    const parts = {
      routes: [...before.routes, ...routes],
      tables: [...before.tables, ...tables],
      topics: [...before.topics, ...topics],
    };
    try {
      // Also refuses two routes that differ by the names of their parameters only.
      void new RouteTable({ name: service, routes: parts.routes });
    } catch (error) {
      return report(messageOf(error), routes[0]?.path ?? "");
    }
    for (const names of [
      parts.tables.map(({ name }) => name),
      parts.topics.map(({ name }) => name),
    ]) {
      const seen = new Set<string>();
      const doubled = names.find((name) => seen.size === seen.add(name).size);
      if (doubled !== undefined) report(`declared twice: ${doubled}`, doubled);
    }
    this.#parts.set(service, parts);
  }

  #readAsk(path: string): void {
    const [yaml, report] = this.#yaml(path, true);
    const file = new Fields(yaml, report);
    const requestedBy = file.text("requestedBy");
    const approvedBy = file.texts("approvedBy");
    for (const name of ["from", "to", "reason"]) file.text(name);
    file.texts("actions");
    file.end();
    this.#asks.push({ file: path, requestedBy, approvedBy });
  }

  #readTests(file: string, team: string | undefined): void {
    const [yaml, report] = this.#yaml(file, true);
    this.#tests.push(...readTests(yaml, report, { file, team, text: this.#text(file) }));
  }

  #readShort(path: string, team: string, shadow: boolean): void {
    const [yaml, report] = this.#yaml(path, true);
    for (const { id, json } of compileShortForm(yaml, report)) {
      this.#addPolicy(json, { file: path, line: lineOfId(this.#text(path), id), team, shadow });
    }
  }

  #readCedar(path: string, team: string | undefined, shadow: boolean): void {
    for (const { text, line } of splitCedar(this.#text(path))) {
      let json: unknown;
      try {
        json = this.#parsers.cedar(text);
      } catch (error) {
        this.#report(path, messageOf(error), line, "syntax");
        continue;
      }
      this.#addPolicy(json, { file: path, line, team, shadow });
    }
  }

  #addPolicy(json: unknown, place: Omit<SourcedPolicy, "id" | "policy" | "json">): void {
    const { file, line, team } = place;
    try {
      const own = parsePolicy("?", json).annotations.get("id") ?? "";
      if (!POLICY_ID.test(own)) {
        return this.#report(file, "a policy needs an @id of a-z, 0-9 and dashes", line, "R7");
      }
      const unseen = unseenText(json);
      if (unseen !== undefined) {
        const text = visible(unseen.text.slice(0, 200));
        return this.#report(file, `${own}: "${text}" ${unseen.why}`, line, "model");
      }
      const id = `${team ?? "guardrails"}/${own}`;
      if (this.#ids.has(id)) {
        return this.#report(file, `the id ${id} is taken`, line, "R7");
      }
      const policy = parsePolicy(id, json);
      const expires = policy.annotations.get("expires");
      if (expires !== undefined && parseDatetime(expires) === undefined) {
        return this.#report(file, "@expires is neither a date nor a time", line, "R6");
      }
      const dated = expires === undefined ? json : expiring(json, expires);
      this.#ids.add(id);
      return void this.#policies.push({ ...place, id, policy, json: dated });
    } catch (error) {
      return this.#report(file, messageOf(error), line, "syntax");
    }
  }

  #yaml(path: string, isNeeded: boolean): readonly [unknown, Report] {
    const text = this.#text(path);
    const report: Report = (reason, part, rule = "model") =>
      this.#report(path, reason, part === "" ? 1 : lineOf(text, part), rule);
    if (!this.#files.has(path)) {
      if (isNeeded) report("the file is missing", "");
      return [isNeeded ? {} : undefined, isNeeded ? () => {} : report];
    }
    try {
      const json = this.#parsers.yaml(text) ?? {};
      const unseen = unseenText(json);
      if (unseen !== undefined) {
        report(`"${visible(unseen.text.slice(0, 200))}" ${unseen.why}`, unseen.text);
        return [{}, () => {}];
      }
      return [json, report];
    } catch (error) {
      this.#report(path, messageOf(error), 1, "syntax");
      return [{}, () => {}];
    }
  }

  #text(path: string): string {
    const text = this.#files.get(path) ?? "";
    if (text.length <= MODEL_FILE_CHARACTERS_MAX) return text;
    this.#report(path, "the file is too long", 1, "model");
    return "";
  }

  #report(file: string, reason: string, line: number, rule: FindingRule): void {
    this.#findings.push({ file, line, rule, reason });
  }
}

type OwnedService = Pick<ServiceDeclaration, "team" | "data" | "servedBy">;
type ServiceParts = Pick<ServiceDeclaration, "routes" | "tables" | "topics">;

/** R6: from this instant on, the policy is as if it were not there. */
function expiring(json: unknown, expires: string): unknown {
  if (!isJsonObject(json)) return json;
  const now = { ".": { left: { Var: "context" }, attr: "now" } };
  const body = { "<": { left: now, right: { datetime: [{ Value: expires }] } } };
  const conditions = isJsonArray(json["conditions"]) ? json["conditions"] : [];
  return { ...json, conditions: [{ kind: "when", body }, ...conditions] };
}

function messageOf(error: unknown): string {
  if (isBonafideError(error)) return error.message;
  return error instanceof Error ? error.message : "the file cannot be read";
}
