import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { LOG_EDGES_MAX, LOG_LINE_CHARACTERS_MAX } from "../../limits.ts";
import { isJsonArray, isJsonObject, type JsonObject } from "../engine/json.ts";
import { parseDatetime } from "../engine/scalars.ts";
import type { EntityUid } from "../engine/values.ts";
import { type ActionName, ACTIONS, entityOf, isActionName } from "../model/entity-names.ts";
import { UNDECLARED } from "../model/model.ts";

/** Calls of one caller, one action and one resource that had the same answer. */
export interface SeenEdge {
  /** `undefined` where a counter had no room to tell callers apart. */
  readonly caller: EntityUid | undefined;
  readonly action: ActionName;
  readonly resource: EntityUid;
  readonly allowed: boolean;
  readonly count: number;
  /** Of the newest call, epoch ms. */
  readonly lastAt: number;
}

/** An access log, added up. */
export interface AccessLog {
  readonly edges: readonly SeenEdge[];
  /** Of all lines within the window, epoch ms; `undefined` if there is none. */
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
  /** Calls to paths that no route declares, by service, and by what was asked for where the log says so. */
  readonly undeclared: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Calls that never had a resource, and so stand in no edge. */
  readonly unresolved: number;
}

/**
 * Adds up an access log: one JSON object a line, each a counted edge, all edges that an enforcer gave, or a decision record. See
 * docs/authz/access-log.md.
 *
 * @param options.since  Older lines are left out, epoch ms.
 * @throws ACCESS_LOG_MALFORMED  `details.line` is its number, from 1
 */
export function readAccessLog(
  lines: Iterable<string>,
  { since = Number.NEGATIVE_INFINITY }: { readonly since?: number } = {},
): AccessLog {
  const edges = new Map<string, { -readonly [K in keyof SeenEdge]: SeenEdge[K] }>();
  const undeclared = new Map<string, Map<string, number>>();
  let [firstAt, lastAt, unresolved, number] = [Infinity, -Infinity, 0, 0];
  for (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    for (const { asked, ...seen } of readLine(line, number)) {
      const { caller, action, resource, allowed, count } = seen;
      if (seen.lastAt < since) continue;
      firstAt = Math.min(firstAt, seen.lastAt);
      lastAt = Math.max(lastAt, seen.lastAt);
      if (resource === undefined || action === undefined) {
        unresolved += count;
        continue;
      }
      if (resource.id.endsWith(`/${UNDECLARED}`)) {
        const service = resource.id.slice(0, -2);
        const paths = undeclared.get(service) ?? new Map<string, number>();
        // Whoever calls at random must not fill the report.
        const hasRoom = paths.size < PATHS_MAX || paths.has(asked ?? "");
        const path = hasRoom ? (asked ?? "") : "...";
        paths.set(path, (paths.get(path) ?? 0) + count);
        undeclared.set(service, paths);
      }
      const key = `${caller?.key ?? "*"}\n${action}\n${resource.key}\n${allowed}`;
      const known = edges.get(key);
      if (known === undefined) {
        if (edges.size >= LOG_EDGES_MAX) throw malformed(number, "one edge too many");
        edges.set(key, { caller, action, resource, allowed, count, lastAt: seen.lastAt });
      } else {
        known.count += count;
        known.lastAt = Math.max(known.lastAt, seen.lastAt);
      }
    }
  }
  const none = lastAt === -Infinity;
  return {
    edges: [...edges.values()],
    firstAt: none ? undefined : firstAt,
    lastAt: none ? undefined : lastAt,
    undeclared,
    unresolved,
  };
}

const PATHS_MAX = 100;

interface LogLine {
  readonly caller: EntityUid | undefined;
  readonly action: ActionName | undefined;
  readonly resource: EntityUid | undefined;
  readonly allowed: boolean;
  readonly count: number;
  readonly lastAt: number;
  readonly asked: string | undefined;
}

/** A record has an edge for each principal of the call; a counted edge is one. */
function readLine(line: string, number: number): readonly LogLine[] {
  if (line.length > LOG_LINE_CHARACTERS_MAX) throw malformed(number, "the line is too long");
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw malformed(number, "no JSON", error);
  }
  if (!isJsonObject(json)) throw malformed(number, "no JSON object");
  if (typeof json["allowed"] !== "number") return readEdges(json, number);
  // What an enforcer's `takeEdges` gave, whole: `allowed` is a sum there.
  const edges = isJsonArray(json["edges"]) ? json["edges"].filter(isJsonObject) : [];
  return edges.flatMap((edge) => readEdges(edge, number));
}

function readEdges(json: JsonObject, number: number): readonly LogLine[] {
  const { action, resource, allowed, count = 1, asked } = json;
  if (typeof allowed !== "boolean") throw malformed(number, "allowed is neither true nor false");
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) {
    throw malformed(number, "count is no whole number");
  }
  const name = typeof action === "string" && isActionName(action) ? action : undefined;
  const common = {
    action: name,
    resource: name === undefined ? undefined : readResourceOf(resource, name),
    count,
    lastAt: readTime(json["lastAt"] ?? json["at"], number),
    asked: typeof asked === "string" ? asked.slice(0, 256) : undefined,
  };
  const parts = isJsonArray(json["edges"]) ? json["edges"].filter(isJsonObject) : [];
  if (parts.length > 0) {
    return parts.map((edge) => ({
      ...common,
      caller: recordedCaller(edge["principal"], number),
      allowed: edge["allowed"] === true,
    }));
  }
  return [{ ...common, caller: readCallerOf(json, number), allowed }];
}

function readCallerOf({ caller }: JsonObject, number: number): EntityUid | undefined {
  if (typeof caller !== "string") throw malformed(number, "caller is no text");
  if (caller === "*") return undefined;
  if (caller.startsWith("user:")) return entityOf("User", caller.slice(5));
  return recordedCaller({ workload: caller }, number);
}

function recordedCaller(json: unknown, number: number): EntityUid {
  const { workload, user } = isJsonObject(json) ? json : {};
  if (typeof user === "string") return entityOf("User", user);
  const id = typeof workload === "string" ? workload : "";
  if (!id.startsWith("spiffe://")) throw malformed(number, "the caller has no SPIFFE ID");
  // Of more segments than a policy can name: nothing that a caller is called spoils a log.
  return entityOf("Workload", id);
}

/** By its id as in a counted edge, where the action says which type it is of; or with its type as in a record. */
function readResourceOf(json: unknown, action: ActionName): EntityUid | undefined {
  const id = isJsonObject(json) ? json["id"] : json;
  if (typeof id !== "string" || id === UNDECLARED) return undefined;
  for (const type of ["Route", "Table", "Topic", "Service"] as const) {
    if (ACTIONS[type].some((name) => name === action)) return entityOf(type, id);
  }
  return undefined;
}

/** Epoch ms, or a time as Cedar writes it: `2026-11-22T10:00:00Z`. */
function readTime(json: unknown, number: number): number {
  const ms = typeof json === "string" ? Number(parseDatetime(json)?.epochMs) : json;
  if (typeof ms === "number" && Number.isFinite(ms)) return ms;
  throw malformed(number, "lastAt (or at) is no time");
}

function malformed(line: number, reason: string, cause?: unknown): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "ACCESS_LOG_MALFORMED", `line ${line}: ${reason}`, {
    cause,
    details: { line: `${line}` },
  });
}
