import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import type { EntityUid } from "../engine/values.ts";
import { type ActionName, entityOf, isActionName } from "../model/entity-names.ts";
import { type AccessModel, UNDECLARED } from "../model/model.ts";
import { RouteTable } from "../model/route-table.ts";

/**
 * Reads who is meant: a SPIFFE ID of the model or the end of exactly one (`shop/checkout`), `user:NAME`, `device:NAME`.
 *
 * @throws AUTHZ_REQUEST_INVALID  nobody of the model, or several
 */
export function readCaller(text: string, model: AccessModel): EntityUid {
  const [, kind, name = ""] = /^(user|device):(.*)$/s.exec(text) ?? [];
  if (kind !== undefined) {
    const known = kind === "user" ? model.users : model.devices;
    if (!known.some((one) => one.name === name)) throw unknown(`there is no ${kind} ${name}`);
    return entityOf(kind === "user" ? "User" : "Device", name);
  }
  const ids = model.workloads.map(({ id }) => id);
  if (ids.includes(text)) return entityOf("Workload", text);
  const ending = ids.filter((id) => id.endsWith(`/${text}`));
  const [only, second] = ending;
  if (only === undefined) throw unknown(`no workload is called ${text}`);
  if (second !== undefined) throw unknown(`${text} may be ${ending.slice(0, 5).join(" or ")}`);
  return entityOf("Workload", only);
}

/** Reads an action: `http.GET`, or only `GET`. @throws AUTHZ_REQUEST_INVALID  no action */
export function readAction(text: string): ActionName {
  for (const name of [text, `http.${text}`]) if (isActionName(name)) return name;
  throw unknown(`no action is called ${text}`);
}

/** What a request would be about, and whether it is declared. */
export interface NamedResource {
  readonly resource: EntityUid;
  /** False for a path of a service that declares no such route: it is `SERVICE/?` then. */
  readonly isDeclared: boolean;
}

/**
 * Reads what is meant: `SERVICE`, `SERVICE/route` as it is declared or as a path of a request, `table:SERVICE/NAME`,
 * `topic:SERVICE/NAME`.
 *
 * @param action  Of the request; a route is declared for some actions only.
 * @throws AUTHZ_REQUEST_INVALID  nothing of the model, or an ambiguous path
 */
export function readResource(text: string, action: ActionName, model: AccessModel): NamedResource {
  const [, kind, rest = ""] = /^(?:(table|topic):)?(.*)$/s.exec(text) ?? [];
  const [name = "", ...segments] = rest.split("/");
  const service = model.services.find((one) => one.name === name);
  if (service === undefined) throw unknown(`there is no service ${name}`);
  const path = segments.join("/");
  if (kind !== undefined) {
    const known = kind === "table" ? service.tables : service.topics;
    if (!known.some((one) => one.name === path)) throw unknown(`${name} has no ${kind} ${path}`);
    return { resource: entityOf(kind === "table" ? "Table" : "Topic", rest), isDeclared: true };
  }
  if (path === "") return { resource: entityOf("Service", name), isDeclared: true };
  if (path === UNDECLARED) return { resource: entityOf("Route", rest), isDeclared: false };
  const declared = service.routes.find((route) => route.path === path);
  if (declared?.actions.includes(action)) {
    return { resource: entityOf("Route", rest), isDeclared: true };
  }
  const { resource, route } = new RouteTable(service).match(action, `/${path}`);
  return { resource, isDeclared: route !== undefined };
}

/** How people write an entity: the opposite of {@link readCaller} and {@link readResource}. */
export function nameOf({ type, id }: EntityUid): string {
  switch (type) {
    case "BF::User":
      return `user:${id}`;
    case "BF::Device":
      return `device:${id}`;
    case "BF::Table":
      return `table:${id}`;
    case "BF::Topic":
      return `topic:${id}`;
    default:
      return id;
  }
}

function unknown(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "AUTHZ_REQUEST_INVALID", message);
}
