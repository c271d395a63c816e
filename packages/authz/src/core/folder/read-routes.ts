import { type ActionName, isActionName } from "../model/entity-names.ts";
import type { RouteDeclaration, ThingDeclaration } from "../model/model.ts";
import { isParameter } from "../model/route-table.ts";
import { Fields, oneOf } from "./fields.ts";
import type { Report } from "./finding.ts";

const THING = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;
const CLASS = /^[a-z0-9][a-z0-9-]{0,62}$/;
const HTTP_PATH = /^[a-zA-Z0-9._~{}:@!$&'()*+,;=-]+(?:\/[a-zA-Z0-9._~{}:@!$&'()*+,;=-]+)*$/;
const GRPC_METHOD = /^[a-zA-Z_][a-zA-Z0-9_.]*\/[a-zA-Z_][a-zA-Z0-9_]*$/;
const SUBJECTS = ["none", "optional", "required"] as const;

/** Reads one route of a routes file; nothing if it is wrong, which is reported. */
export function readRoute(json: unknown, report: Report): readonly RouteDeclaration[] {
  const fields = new Fields(json, report);
  const [path, grpc] = [fields.optionalText("path"), fields.optionalText("grpc")];
  const methods = fields.texts("methods");
  const tags = fields.texts("tags");
  const subject = oneOf(SUBJECTS, fields.optionalText("subject") ?? "optional");
  fields.end();
  reportClasses(tags, report);
  if (subject === undefined) {
    report(`subject is one of ${SUBJECTS.join(", ")}`, "subject");
    return [];
  }
  if (grpc !== undefined && path === undefined && methods.length === 0) {
    if (GRPC_METHOD.test(grpc)) return [{ path: grpc, actions: ["grpc.call"], tags, subject }];
    report(`not a gRPC method: ${grpc}`, grpc);
    return [];
  }
  const bare = path?.replace(/^\//, "") ?? "";
  const actions = methods.map((method) => `http.${method}`);
  if (!isHttpTemplate(bare)) {
    report(`not a path: ${path ?? ""}`, path ?? "");
  } else if (actions.length === 0 || !actions.every((name) => isActionName(name))) {
    report(`${bare} has no methods, or unknown ones`, bare);
  } else {
    return [{ path: bare, actions: actions.filter(isHttpAction), tags, subject }];
  }
  return [];
}

/** Whether a text without its leading slash is a path whose segments are literal or one parameter each. */
export function isHttpTemplate(bare: string): boolean {
  const isTemplate = bare.split("/").every((part) => isParameter(part) || !/[{}]/.test(part));
  return isTemplate && HTTP_PATH.test(bare) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(bare);
}

/** Reads one table or topic of a routes file; nothing if it is wrong, which is reported. */
export function readThing(json: unknown, report: Report): readonly ThingDeclaration[] {
  const fields = new Fields(json, report);
  const name = fields.text("name");
  const tags = fields.texts("tags");
  fields.end();
  reportClasses(tags, report);
  if (THING.test(name)) return [{ name, tags }];
  report(`not a name: ${name}`, name);
  return [];
}

/** Reports tags and classes of data in any but the one spelling: `PCI` would be none of the rules for `pci`. */
export function reportClasses(names: readonly string[], report: Report): void {
  for (const name of names) {
    if (!CLASS.test(name)) report(`not a tag or class, a-z, 0-9 and dashes: ${name}`, name);
  }
}

function isHttpAction(name: string): name is ActionName {
  return isActionName(name);
}
