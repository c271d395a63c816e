import {
  drawGraph,
  type GraphDrawing,
  graphOfFolder,
  graphToDot,
  graphToMermaid,
  nameOf,
  readCaller,
} from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz graph` */
export const authzGraph: Command = defineCommand({
  name: "authz graph",
  summary: "draws who may call which service",
  flags: {
    ...FOLDER_FLAG,
    from: {
      kind: "string",
      help: "only what this caller reaches, by chains too",
      placeholder: "WHO",
    },
    to: { kind: "string", help: "only calls to this service", placeholder: "SERVICE" },
    format: { kind: "string", help: "dot or mermaid", standard: "dot" },
  },
  examples: [
    "bonafide authz graph | dot -Tsvg > access.svg",
    "bonafide authz graph --from edge/internet-gw --format mermaid",
    "bonafide authz graph --to payments --json",
  ],
  async run({ flags, output }) {
    const { format = "dot", from, to } = flags;
    if (format !== "dot" && format !== "mermaid") throw usage("--format is dot or mermaid");
    const folder = await openFolder(flags.folder);
    if (to !== undefined && !folder.model.services.some(({ name }) => name === to)) {
      throw usage(`there is no service ${to}`);
    }
    const drawing = drawGraph(graphOfFolder(folder), folder.model, {
      ...(from === undefined ? {} : { from: [readCaller(from, folder.model)] }),
      ...(to === undefined ? {} : { to }),
    });
    output.result(
      format === "dot" ? graphToDot(drawing) : graphToMermaid(drawing),
      drawingJson(drawing),
    );
    return EXIT.ok;
  },
});

function drawingJson({
  edges,
  callers,
  services,
}: GraphDrawing): Readonly<Record<string, unknown>> {
  return {
    callers: callers.map(({ uid, team }) => ({ name: nameOf(uid), team: team ?? null })),
    services: services.map(({ name, team, data, servedBy }) => ({ name, team, data, servedBy })),
    edges: edges.map(({ caller, isConditional, ...edge }) => ({
      from: nameOf(caller),
      ...edge,
      conditional: isConditional,
    })),
  };
}
