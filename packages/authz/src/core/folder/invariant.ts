import type { EntityUid } from "../engine/values.ts";
import type { AccessGraph } from "../graph/access.ts";
import { PATH_HOPS_MAX, serviceOf } from "../graph/paths.ts";
import { entityOf } from "../model/entity-names.ts";
import type { AccessModel } from "../model/model.ts";
import { readCaller } from "./names.ts";

/** A sentence about access that has to stay true. */
export interface Invariant {
  /** `never`: nobody of `from` reaches `to`. `only`: nobody but `from` calls `to`. */
  readonly kind: "never" | "only";
  readonly from: readonly string[];
  readonly to: string;
  /** Most calls in a chain; 1 is a call without another between. */
  readonly hopsMax: number;
}

const FORM = /^(.+?)\s+->(\*?)\s+(\S+)(?:\s+depth\s*<=\s*(\d{1,2}))?$/s;

/**
 * Reads `FROM -> TO`, `FROM ->* TO` or `FROM ->* TO depth<=N`, where FROM is one or several with commas.
 *
 * @returns `undefined` if it is none of these, or an `only` with a chain
 */
export function parseInvariant(kind: Invariant["kind"], text: string): Invariant | undefined {
  const [, callers = "", star, to = "", depth] = FORM.exec(text.trim()) ?? [];
  const from = callers.split(",").map((name) => name.trim());
  const isChain = star === "*";
  if (to === "" || from.includes("")) return undefined;
  if (!isChain) return depth === undefined ? { kind, from, to, hopsMax: 1 } : undefined;
  const hopsMax = depth === undefined ? PATH_HOPS_MAX : Number(depth);
  return kind === "only" || hopsMax < 1 || hopsMax > PATH_HOPS_MAX
    ? undefined
    : { kind, from, to, hopsMax };
}

/**
 * Those that a text means: a SPIFFE ID or its end, a prefix with `/*`, `team:`, `group:`, `user:` or `device:` with a
 * name, or `*` for everybody.
 *
 * @throws AUTHZ_REQUEST_INVALID  nobody is called so
 */
export function callersOf(
  text: string,
  graph: AccessGraph,
  model: AccessModel,
): readonly EntityUid[] {
  const { entities, principals } = graph.parts;
  if (text === "*") return principals;
  const [, kind, name = ""] = /^(team|group):(.*)$/s.exec(text) ?? [];
  const prefix = text.endsWith("/*") ? text.slice(0, -2) : undefined;
  if (kind === undefined && prefix === undefined) return [readCaller(text, model)];
  const group =
    prefix === undefined
      ? entityOf(kind === "team" ? "Team" : "Group", name)
      : entityOf("IdPath", prefix);
  const whole = entityOf("TrustDomain", prefix?.replace("spiffe://", "") ?? "");
  return principals.filter(({ key }) => {
    const ancestors = entities.find(key)?.ancestors;
    return ancestors?.has(group.key) === true || ancestors?.has(whole.key) === true;
  });
}

/**
 * A test of resources: `tag:NAME`, `data:CLASS`, `team:NAME`, `SERVICE`, `SERVICE/route`, `table:SERVICE/NAME`,
 * `topic:SERVICE/NAME`.
 *
 * @returns `undefined` if nothing of the model is meant
 */
export function targetOf(
  text: string,
  graph: AccessGraph,
  model: AccessModel,
): ((resource: EntityUid) => boolean) | undefined {
  const [, kind, name = ""] = /^(?:([a-z]+):)?(.*)$/s.exec(text) ?? [];
  if (kind === "data") {
    const holding = model.services.filter(({ data }) => data.includes(name));
    const names = new Set(holding.map((service) => service.name));
    return names.size === 0 ? undefined : (resource) => names.has(serviceOf(resource));
  }
  const uid = entityNamed(kind, name);
  if (uid === undefined) return undefined;
  const { entities } = graph.parts;
  const isIn = ({ key }: EntityUid): boolean =>
    key === uid.key || entities.find(key)?.ancestors.has(uid.key) === true;
  const isKnown = [...entities.entities()].some((entity) => isIn(entity.uid));
  return isKnown ? isIn : undefined;
}

function entityNamed(kind: string | undefined, name: string): EntityUid | undefined {
  switch (kind) {
    case "tag":
      return entityOf("Tag", name);
    case "team":
      return entityOf("Team", name);
    case "table":
      return entityOf("Table", name);
    case "topic":
      return entityOf("Topic", name);
    case undefined:
      return name.includes("/") ? entityOf("Route", name) : entityOf("Service", name);
    default:
      return undefined;
  }
}
