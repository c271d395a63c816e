import { importOpenApi, type ImportedRoutes, readFolder, routesOfProto } from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { parse } from "yaml";
import { usage } from "../arguments/parse-flags.ts";
import { CLI_ERRORS } from "../errors.ts";

const FORMATS = ["openapi", "proto", "app"] as const;

/**
 * Reads the routes of an API from a text of a format.
 *
 * @throws USAGE            there is no such format, or it is no file of routes
 * @throws FILE_UNREADABLE  it is no YAML, or one that grows beyond measure
 * @throws MODEL_INVALID    it is YAML, and no OpenAPI document
 */
export function readSource(format: string, text: string): ImportedRoutes {
  const known = FORMATS.find((one) => one === format);
  if (known === undefined) throw usage(`the format is one of ${FORMATS.join(", ")}`);
  if (known === "proto") return { routes: routesOfProto(text), skipped: [] };
  const json = parsed(text);
  if (known === "openapi") return importOpenApi(json);
  return { routes: routesOfApp(text, json), skipped: [] };
}

function parsed(text: string): unknown {
  try {
    // "silent" would read what is left of a broken file.
    return parse(text, { logLevel: "error" });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `that is no YAML: ${why}`, { cause });
  }
}

/** What `renderRoutesFile` of a program wrote: read as a file of a folder that has nothing else. */
function routesOfApp(text: string, json: unknown): ImportedRoutes["routes"] {
  const named: unknown =
    typeof json === "object" && json !== null ? Reflect.get(json, "service") : "";
  const service = typeof named === "string" ? named : "";
  const files = new Map([
    ["org.yaml", "trustDomain: a\nowners: [a]\nteams: { a: { owners: [a], ids: [] } }"],
    ["teams/a/team.yaml", `services: { ${JSON.stringify(service)}: {} }`],
    ["teams/a/routes/app.yaml", text],
  ]);
  const { folder, findings } = readFolder(files, {
    yaml: (one): unknown => parse(one),
    cedar: () => ({}),
  });
  const [first] = findings;
  if (first !== undefined)
    throw usage(`that is no file of routes: line ${first.line}: ${first.reason}`);
  return folder.model.services.flatMap(({ routes }) => routes);
}
