import type { IncomingMessage, ServerResponse } from "node:http";
import { httpPeer, type VerifiedRequestListener } from "@bonafide/spiffe";
import type { VerifiedUser } from "./core/verified-user.ts";
import { type Answer, denialOf, type Enforcer } from "./enforcer.ts";

/** Options of the adapters for HTTP; `R` is the framework's request. */
export interface HttpAuthorizeOptions<R> {
  /**
   * On whose behalf a request is made: verifies the token that it carries, and answers `undefined` if it carries none.
   * What it throws denies the request. Left out: no request is on behalf of anybody.
   */
  readonly user?: (request: R) => Promise<VerifiedUser | undefined>;
}

const answers = new WeakMap<IncomingMessage, Answer>();

/**
 * The answer that let a request through: its user, its resource.
 *
 * @returns `undefined`  the request was not authorized by this package
 */
export function answerOf(request: IncomingMessage): Answer | undefined {
  return answers.get(request);
}

/**
 * Puts a decision in front of a listener: what is not permitted never reaches it, and gets 403, or 503 while there is no
 * bundle.
 *
 * @example
 *   const server = createHttpsServer(options, authorizeHttp(enforcer, listener));
 */
export function authorizeHttp(
  enforcer: Enforcer,
  listener: VerifiedRequestListener,
  options: HttpAuthorizeOptions<IncomingMessage> = {},
): VerifiedRequestListener {
  return (request, response) => {
    const path = pathOf(request.url ?? "");
    authorizeRequest({ enforcer, request, user: userOf(options, request), path }, (answer) => {
      if (answer.allowed) listener(request, response);
      else deny(response, answer);
    });
  };
}

/** A request on its way to a decision. */
export interface RequestParts {
  readonly enforcer: Enforcer;
  readonly request: IncomingMessage;
  readonly path: string;
  readonly routed?: readonly string[] | undefined;
  /** `undefined`: nobody asks for users here. */
  readonly user: Promise<VerifiedUser | undefined> | undefined;
}

/** Decides about a request and goes on with the answer; at once if no token has to be verified. */
export function authorizeRequest(parts: RequestParts, then: (answer: Answer) => void): void {
  const { user, ...rest } = parts;
  if (user === undefined) {
    then(answerTo(rest, undefined));
    return;
  }
  // Every end is handled, so that nothing is left floating; the reason of a bad token is the verifier's to log.
  void user
    .then(
      (verified) => answerTo(rest, verified),
      () => answerTo(rest, "invalid"),
    )
    .catch(() => UNDECIDED)
    .then(then);
}

/** Nothing could be decided: nobody goes on, and no caller ends the process. */
const UNDECIDED: Answer = {
  allowed: false,
  reason: "no_permit",
  decision: "",
  resource: undefined,
  user: undefined,
};

function answerTo(
  { enforcer, request, path, routed }: Omit<RequestParts, "user">,
  user: VerifiedUser | "invalid" | undefined,
): Answer {
  const answer = enforcer.authorize({
    peer: httpPeer(request),
    action: `http.${request.method ?? ""}`,
    asked: { path, routed },
    user,
  });
  answers.set(request, answer);
  return answer;
}

/** A verifier may throw at once or later; both are a token that was not proven. */
export function userOf<R>(
  { user }: HttpAuthorizeOptions<R>,
  request: R,
): Promise<VerifiedUser | undefined> | undefined {
  if (user === undefined) return undefined;
  try {
    return user(request);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The path of a request target as it came. An absolute form, `*` or an authority is no path and is refused later. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** What a refused caller gets: that it was refused, and the name of the record. */
export interface Denial {
  readonly status: 403 | 503;
  readonly body: { readonly error: string; readonly decision: string };
}

/** Renders a denial for HTTP. */
export function denialBody(answer: Answer): Denial {
  const { code } = denialOf(answer);
  const status = code === "POLICY_NOT_READY" ? 503 : 403;
  return { status, body: { error: code, decision: answer.decision } };
}

/** Ends a response by a denial. */
export function deny(response: ServerResponse, answer: Answer): void {
  const { status, body } = denialBody(answer);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
