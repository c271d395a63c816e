import {
  type ActionName,
  buildRequest,
  CallerEntities,
  type CompiledPolicies,
  decide,
  type Decision,
  type DecisionReason,
  enforce,
  EntityUid,
  firstRefusal,
  isOfKnownDomain,
  type OnBehalfOf,
  type Principal,
  reasonOf,
  type RecordedEdge,
  type ShadowAnswer,
  UNDECLARED,
  type VerifiedBundle,
} from "@bonafide/authz";
import { isBonafideError } from "@bonafide/errors";
import { POLICIES_RECORDED_MAX } from "../limits.ts";
import { NearRoutes } from "./asked-route.ts";
import { grantFault, tokenFor, type VerifiedUser } from "./verified-user.ts";

/** What a call asks for. */
export type Asked =
  | {
      /** Path of the request without query, as it came. */
      readonly path: string;
      /** Templates that the framework's router found, in its order; all must agree, see `NearRoutes.agrees`. */
      readonly routed?: readonly string[] | undefined;
    }
  | { readonly resource: EntityUid };

/** A call to be judged. */
export interface Question {
  /** SPIFFE ID of the verified peer. */
  readonly caller: string;
  /** `undefined`: the method is none of the model's actions. */
  readonly action: ActionName | undefined;
  readonly asked: Asked;
  /** Epoch ms. */
  readonly now: number;
  readonly sourceIp?: string | undefined;
  /** `"invalid"`: a token came along and was not proven. */
  readonly user?: VerifiedUser | "invalid" | undefined;
}

/** What is to be done with a call, and why. */
export interface Judgement {
  readonly allowed: boolean;
  readonly reason: DecisionReason;
  /** `undefined`: nobody can say what was asked for. */
  readonly resource: EntityUid | undefined;
  /** Whether it is a declared route, or a thing that is no route. */
  readonly isDeclared: boolean;
  readonly edges: readonly RecordedEdge[];
  readonly onBehalfOf: OnBehalfOf | undefined;
  /** What shadow policies would have changed. */
  readonly shadow: ShadowAnswer | undefined;
}

/** A bundle, prepared to judge calls to one service. */
export class Judge {
  readonly bundle: VerifiedBundle;
  readonly #service: string;
  readonly #callers: CallerEntities;
  readonly #near: NearRoutes;

  /** @param service  One that the bundle was opened for. */
  constructor(bundle: VerifiedBundle, service: string) {
    this.bundle = bundle;
    this.#service = service;
    this.#callers = new CallerEntities(bundle);
    const routes = bundle.model.services.find(({ name }) => name === service)?.routes ?? [];
    this.#near = new NearRoutes({ name: service, routes });
  }

  /** Judges a call. Throws only for what no caller can do. */
  judge(question: Question): Judgement {
    const { action, now, user } = question;
    if (now >= this.bundle.manifest.expires) return refused("bundle_expired");
    if (action === undefined) return refused("method_unknown");
    const found = this.#find(action, question.asked);
    if ("reason" in found) return refused(found.reason);
    const { resource, subject, isDeclared } = found;
    const place = { resource, isDeclared };
    if (!isOfKnownDomain(question.caller, this.bundle.model)) return refused("no_permit", place);
    if (user === "invalid") return refused("token_invalid", place);
    if (subject === "required" && user === undefined) return refused("subject_required", place);
    if (subject === "none" && user !== undefined) return refused("subject_refused", place);
    const token = user === undefined ? undefined : tokenFor(question.caller, user, now);
    if (token !== undefined && "reason" in token) return refused(token.reason, place);
    const onBehalfOf = token?.onBehalfOf;
    const answer = this.#answer(question, action, place, onBehalfOf);
    if (user === undefined || onBehalfOf === undefined) return answer;
    const fault = grantFault(user.grants ?? [], {
      action,
      resource: resource.id,
      service: this.#service,
      chain: onBehalfOf.chain,
      now,
      isAgent: (workload) => this.#callers.mayBeAgent(workload),
    });
    // A grant only takes away: what policies deny stays denied for their reason.
    if (fault === undefined || !answer.allowed) return answer;
    return { ...answer, allowed: false, reason: fault, shadow: undefined };
  }

  /** What no request of policies can name is permitted by none: a SPIFFE ID of too many segments, an instant that is none. */
  #answer(
    question: Question,
    action: ActionName,
    place: { readonly resource: EntityUid; readonly isDeclared: boolean },
    onBehalfOf: (OnBehalfOf & { readonly user: string }) | undefined,
  ): Judgement {
    try {
      return { ...this.#ask(question, action, place.resource, onBehalfOf), ...place };
    } catch (error) {
      if (!isBonafideError(error, "AUTHZ_REQUEST_INVALID")) throw error;
      return refused(onBehalfOf === undefined ? "no_permit" : "token_invalid", place);
    }
  }

  #find(
    action: ActionName,
    asked: Asked,
  ):
    | { readonly reason: DecisionReason }
    | { readonly resource: EntityUid; readonly subject: string; readonly isDeclared: boolean } {
    if ("resource" in asked) {
      const { resource } = asked;
      const isDeclared = this.bundle.entities.find(resource.key) !== undefined;
      // In nothing, so that no permit for the service reaches it: one entity, whatever was asked for.
      const unknown = new EntityUid(resource.type, `${this.#service}/${UNDECLARED}`);
      return { resource: isDeclared ? resource : unknown, subject: "optional", isDeclared };
    }
    const routes = this.bundle.routes(this.#service);
    if (routes === undefined) return { reason: "no_bundle" };
    const { path, routed = [] } = asked;
    try {
      const { resource, route } = routes.match(action, path);
      if (!routed.every((template) => this.#near.agrees(template, path, route))) {
        return { reason: "route_disagreement" };
      }
      if (this.#near.isLookAlike(path)) return { reason: "path_ambiguous" };
      return { resource, subject: route?.subject ?? "optional", isDeclared: route !== undefined };
    } catch (error) {
      if (isBonafideError(error, "AUTHZ_REQUEST_INVALID")) return { reason: "path_ambiguous" };
      throw error;
    }
  }

  /** Everybody of the call has to be allowed by themselves. */
  #ask(
    { caller, now, sourceIp }: Question,
    action: ActionName,
    resource: EntityUid,
    onBehalfOf: (OnBehalfOf & { readonly user: string }) | undefined,
  ): Omit<Judgement, "resource" | "isDeclared"> {
    const { compiled, shadow } = this.bundle;
    const entities = this.#callers.of(caller);
    const facts = {
      now,
      tls: true,
      ...(sourceIp !== undefined && { sourceIp }),
      ...(onBehalfOf && { onBehalfOf }),
    };
    const principals: Principal[] = [{ workload: caller }];
    if (onBehalfOf !== undefined) principals.push({ user: onBehalfOf.user });
    const requests = principals.map((who) => buildRequest(who, action, resource, facts));
    const decideBy = (policies: CompiledPolicies): Decision[] =>
      requests.map((request) => decide(policies, entities, request));
    const decisions = decideBy(compiled);
    const reason = firstRefusal(decisions.map(reasonOf));
    const edges = principals.map((principal, index) =>
      edgeOf(namedPrincipal(principal), decisions[index] ?? NOTHING),
    );
    const answer = { allowed: reason === "permitted", reason, edges, onBehalfOf };
    if (shadow === undefined) return { ...answer, shadow: undefined };
    const tried = decideBy(shadow).map((also, index) => joined(decisions[index] ?? NOTHING, also));
    const instead = firstRefusal(tried.map(reasonOf));
    if (instead === reason) return { ...answer, shadow: undefined };
    const policies = [...new Set(tried.flatMap(({ determining }) => determining))];
    return {
      ...answer,
      shadow: {
        allowed: instead === "permitted",
        reason: instead,
        policies: policies.slice(0, POLICIES_RECORDED_MAX),
      },
    };
  }
}

/** A judgement without asking policies. */
export function refused(
  reason: DecisionReason,
  place: Partial<Pick<Judgement, "resource" | "isDeclared">> = {},
): Judgement {
  const { resource, isDeclared = false } = place;
  const base = { edges: [], onBehalfOf: undefined, shadow: undefined };
  return { allowed: false, reason, resource, isDeclared, ...base };
}

const NOTHING: Decision = { decision: "deny", determining: [], faults: [] };

/** The decision of two sets of policies as one set: a forbid of either is a forbid. */
function joined(a: Decision, b: Decision): Decision {
  const forbids = [a, b].filter(
    ({ decision, determining }) => decision === "deny" && determining.length > 0,
  );
  const permits = [a, b].filter(({ decision }) => decision === "allow");
  const source = forbids.length > 0 ? forbids : permits;
  return {
    decision: forbids.length === 0 && permits.length > 0 ? "allow" : "deny",
    determining: source.flatMap(({ determining }) => determining),
    faults: [...a.faults, ...b.faults],
  };
}

function edgeOf(principal: RecordedEdge["principal"], decision: Decision): RecordedEdge {
  return {
    principal,
    allowed: enforce(decision).allowed,
    policies: decision.determining.slice(0, POLICIES_RECORDED_MAX),
    faults: decision.faults.slice(0, POLICIES_RECORDED_MAX),
  };
}

function namedPrincipal(principal: Principal): RecordedEdge["principal"] {
  if ("workload" in principal) return { workload: principal.workload };
  return { user: "user" in principal ? principal.user : principal.device };
}
