import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import type { ServiceDeclaration } from "../model/model.ts";
import { GUARDED_DATA } from "./check-ownership.ts";
import type { Folder } from "./folder.ts";
import { nameOf, readAction, readResource } from "./names.ts";

/** Access that a caller asks for. */
export interface AccessRequest {
  /** As the short form has it: a SPIFFE ID, a prefix with `/*`, `team:`, `group:`, `user:`. */
  readonly from: string;
  readonly to: string;
  readonly actions: readonly string[];
  readonly reason: string;
  /** Who asks, as the git host knows them. */
  readonly requestedBy: string;
  /** A date or time in Cedar's form. */
  readonly expires?: string;
}

/** A permit that its owner has only to merge. */
export interface AccessProposal {
  /** The team that owns what is asked for. */
  readonly team: string;
  readonly policyId: string;
  /** Who has to agree: the owners of the team, and approvers of its data. */
  readonly reviewers: readonly string[];
  /** Files to write, by path: the permit, and who asked for it. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Writes down what a caller asks for as a permit in the owner's folder, for the owner to review. Nothing is granted by
 * it; what comes of it is judged by checking the folder with the new files.
 *
 * @throws AUTHZ_REQUEST_INVALID  no action, or nothing that is declared
 */
export function proposeAccess(folder: Folder, ask: AccessRequest): AccessProposal {
  const names = ask.actions.map(readAction);
  const [first] = names;
  if (first === undefined) throw invalid("no action is asked for");
  const { resource, isDeclared } = readResource(ask.to, first, folder.model);
  if (!isDeclared) throw invalid(`${ask.to} is not declared; its owners have to declare it first`);
  const to = nameOf(resource);
  const service = folder.model.services.find(
    ({ name }) => name === (resource.id.split("/")[0] ?? ""),
  );
  if (service === undefined) throw invalid(`there is no service of ${to}`);
  const { team } = service;
  const taken = new Set(folder.policies.map(({ id }) => id));
  const pathsOf = (id: string): readonly [string, string] => [
    `teams/${team}/policies/${id}.yaml`,
    `teams/${team}/requests/${id}.yaml`,
  ];
  const own = freeId(
    `${slug(ask.from)}-${slug(to)}`.slice(0, 100),
    (id) => taken.has(`${team}/${id}`) || pathsOf(id).some((path) => folder.files.has(path)),
  );
  const [policyFile, requestFile] = pathsOf(own);
  const approvers = approversOf(folder, service, ask.from);
  const { from, reason, requestedBy, expires } = ask;
  const permit = {
    id: own,
    reason,
    from,
    to,
    actions: names,
    ...(expires === undefined ? {} : { expires }),
    ...(approvers.length === 0 ? {} : { approver: approvers.join(", ") }),
  };
  const request = { requestedBy, from, to, actions: names, reason };
  return {
    team,
    policyId: `${team}/${own}`,
    reviewers: [...new Set([...(folder.org.teams.get(team)?.owners ?? []), ...approvers])],
    files: new Map([
      [policyFile, `allow:\n${yamlFields(permit, "  - ", "    ")}`],
      [requestFile, yamlFields(request, "", "")],
    ]),
  };
}

/** Approvers by R5, as far as `org.yaml` names them; the check says who is missing. */
function approversOf(
  { org, model }: Folder,
  { data }: ServiceDeclaration,
  from: string,
): readonly string[] {
  const classes = data.filter((name) => GUARDED_DATA.includes(name));
  const domain = /^spiffe:\/\/([^/]+)/.exec(from)?.[1] ?? model.trustDomain;
  if (domain !== model.trustDomain) classes.push("federated");
  return [...new Set(classes.flatMap((name) => org.approvers.get(name) ?? []))];
}

function freeId(wanted: string, isTaken: (id: string) => boolean): string {
  let id = wanted;
  for (let number = 2; isTaken(id); number++) id = `${wanted}-${number}`;
  return id;
}

/** The last words of a name, as far as an id may hold them. */
function slug(text: string): string {
  const words = text
    .replace(/^spiffe:\/\/[^/]+\//, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  return words.replaceAll(/^-|-$/g, "") || "all";
}

/** JSON's texts and lists are YAML, whatever they hold. */
function yamlFields(
  fields: Readonly<Record<string, unknown>>,
  first: string,
  indent: string,
): string {
  return Object.entries(fields)
    .map(([name, value], at) => `${at === 0 ? first : indent}${name}: ${JSON.stringify(value)}\n`)
    .join("");
}

function invalid(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "AUTHZ_REQUEST_INVALID", message);
}
