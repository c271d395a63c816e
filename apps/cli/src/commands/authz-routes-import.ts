import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  checkFolder,
  compareFolders,
  type Folder,
  type ImportedRoutes,
  isMoreAccess,
  planRoutes,
  renderDiff,
  type RoutesPlan,
} from "@bonafide/authz";
import { parse } from "yaml";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { loadCedarTools } from "../authz/cedar-tools.ts";
import { FOLDER_FLAG, folderOf, openFolder, usable } from "../authz/open-folder.ts";
import { readText } from "../authz/read-files.ts";
import {
  editRoutesFile,
  methodsOf,
  newRoutesFile,
  routeLine,
  uneditable,
} from "../authz/routes-file.ts";
import { readSource } from "../authz/routes-source.ts";
import { EXIT } from "../exit-codes.ts";
import { openFreshFile } from "../process/fresh-file.ts";

/** `bonafide authz routes import` */
export const authzRoutesImport: Command = defineCommand({
  name: "authz routes import",
  summary:
    "declares the routes of an API: merges them into the team's files, or checks that they are there",
  usage: "FORMAT FILE... --service NAME [flags]",
  flags: {
    ...FOLDER_FLAG,
    service: { kind: "string", help: "whose routes they are", required: true },
    prefix: {
      kind: "string",
      help: "what comes before each path, as in /api",
      placeholder: "PATH",
    },
    into: {
      kind: "string",
      help: "the file for new routes, in routes/ of the team",
      placeholder: "NAME",
      standard: "SERVICE.yaml, or the first that declares some of it",
    },
    check: { kind: "boolean", help: "write nothing; exit 1 if anything is missing" },
  },
  operands: { min: 2, max: 65 },
  examples: [
    "bonafide authz routes import openapi openapi.yaml --service payments",
    "bonafide authz routes import proto pay.proto --service payments --check",
    "bonafide authz routes import app routes.yaml --service payments",
  ],
  async run({ flags, operands, output }) {
    const [format = "", ...sources] = operands;
    const name = folderOf(flags.folder);
    const before = await openFolder(name);
    const { service, check } = flags;
    if (flags.into !== undefined && !/^[a-zA-Z0-9_-][a-zA-Z0-9_.-]*\.yaml$/.test(flags.into)) {
      throw usage("--into is the name of a .yaml file");
    }
    const declared = before.model.services.find((one) => one.name === service);
    if (declared === undefined)
      throw usage(`there is no service ${service}; declare it in team.yaml`);
    const read = sources.map((file) => readSource(format, readText(file)));
    const imported = withPrefix(
      read.flatMap(({ routes }) => routes),
      flags.prefix ?? "",
    );
    const plan = planRoutes(declared, imported);
    const into = `teams/${declared.team}/routes/${flags.into ?? fileFor(before, service)}`;
    const files = edited(before, plan, { service, into });
    const proposed = new Map([...before.files, ...files]);
    const after = usable(checkFolder(proposed, await loadCedarTools()), name);
    assertDeclared(after, service, imported);
    if (!check) for (const [path, text] of files) write(join(name, path), text);
    const diff = compareFolders(before, after);
    const lines = [
      ...planLines(plan),
      ...read.flatMap(({ skipped }) =>
        skipped.map(({ path, reason }) => `! ${path} is not declared: it ${reason}`),
      ),
      ...[...files.keys()].map((path) => `${check ? "lacks" : "wrote"} ${join(name, path)}`),
      ...(files.size > 0 && isMoreAccess(diff) ? ["who may call them now:", renderDiff(diff)] : []),
    ];
    output.result(
      [
        ...lines,
        ...(files.size === 0 ? [`every route of ${sources.join(", ")} is declared`] : []),
      ].join("\n"),
      { ...plan, skipped: read.flatMap(({ skipped }) => skipped), files: [...files.keys()] },
    );
    return check && files.size > 0 ? EXIT.no : EXIT.ok;
  },
});

function withPrefix(routes: ImportedRoutes["routes"], prefix: string): ImportedRoutes["routes"] {
  const bare = prefix.replaceAll(/^\/+|\/+$/g, "");
  if (bare === "") return routes;
  return routes.map((route) =>
    route.actions.includes("grpc.call") ? route : { ...route, path: `${bare}/${route.path}` },
  );
}

/** The name of the file for new routes: the service's own, or the first that declares some of it. */
function fileFor({ files }: Folder, service: string): string {
  const own = `${service}.yaml`;
  const declaring = [...files]
    .filter(([path, text]) => /^teams\/[^/]+\/routes\//.test(path) && serviceOf(text) === service)
    .map(([path]) => path.split("/").at(-1) ?? own);
  return declaring.includes(own) ? own : (declaring[0] ?? own);
}

function serviceOf(text: string): unknown {
  const json: unknown = parse(text, { logLevel: "silent" });
  return typeof json === "object" && json !== null ? Reflect.get(json, "service") : undefined;
}

/** The files that change, with their new text. */
function edited(
  { files }: Folder,
  { added, widened }: RoutesPlan,
  { service, into }: { readonly service: string; readonly into: string },
): ReadonlyMap<string, string> {
  const changed = new Map<string, string>();
  const team = into.slice(0, into.lastIndexOf("/") + 1);
  for (const [path, text] of files) {
    if (!path.startsWith(team) || serviceOf(text) !== service) continue;
    const own = widened.filter((route) => declares(text, route.path));
    const edit = { widened: own, added: path === into ? added : [] };
    if (own.length > 0 || edit.added.length > 0) changed.set(path, editRoutesFile(text, edit));
  }
  if (added.length > 0 && !changed.has(into)) {
    if (files.has(into)) throw usage(`${into} declares another service`);
    changed.set(into, newRoutesFile(service, added));
  }
  return changed;
}

function declares(text: string, path: string): boolean {
  const json: unknown = parse(text, { logLevel: "silent" });
  const routes: unknown =
    typeof json === "object" && json !== null ? Reflect.get(json, "routes") : [];
  return (
    Array.isArray(routes) &&
    routes.some((route: unknown) => {
      const own: unknown =
        typeof route === "object" && route !== null ? Reflect.get(route, "path") : undefined;
      return typeof own === "string" && own.replace(/^\//, "") === path;
    })
  );
}

/** Whatever was edited: a file is written only if it declares what was imported. */
function assertDeclared(
  { model }: Folder,
  service: string,
  imported: ImportedRoutes["routes"],
): void {
  const routes = model.services.find(({ name }) => name === service)?.routes ?? [];
  const { added, widened } = planRoutes({ routes }, imported);
  if (added.length + widened.length > 0) throw uneditable("routes would be lost");
}

function planLines({ added, widened, others }: RoutesPlan): readonly string[] {
  return [
    ...added.map((route) => `+ ${routeLine(route)}`),
    ...widened.map(({ path, actions }) => `~ /${path}: also ${methodsOf(actions)}`),
    ...others.map((route) => `? ${routeLine(route)} is declared and not in what was imported`),
  ];
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  using file = openFreshFile(path, 0o644);
  file.write(text);
  file.finish();
}
