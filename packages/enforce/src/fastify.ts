import type { IncomingMessage } from "node:http";
import type { Enforcer } from "./enforcer.ts";
import { authorizeRequest, denialBody, type HttpAuthorizeOptions, pathOf, userOf } from "./http.ts";

/** What this package needs of a request of Fastify 5. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  /** As the router read it. */
  readonly url: string;
  /** `url`: the template that the router found; missing if it found none. */
  readonly routeOptions: { readonly url?: string | undefined };
}

/** What this package needs of a reply of Fastify 5. */
export interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  send(body: unknown): unknown;
}

/** A hook of Fastify. */
export type FastifyHook<R> = (request: R, reply: FastifyReplyLike, done: () => void) => void;

/**
 * A hook for Fastify that ends what is not permitted. Fastify has found its route by then: if that is another one than
 * the bundle declares for the path, the request is denied.
 *
 * @example app.addHook("onRequest", authorizeFastify(enforcer));
 */
export function authorizeFastify<R extends FastifyRequestLike>(
  enforcer: Enforcer,
  options: HttpAuthorizeOptions<R> = {},
): FastifyHook<R> {
  return (request, reply, done) => {
    const { raw, url, routeOptions } = request;
    const path = pathOf(url);
    const routed = routeOptions.url === undefined ? [] : [templateOf(routeOptions.url)];
    const user = userOf(options, request);
    authorizeRequest({ enforcer, request: raw, user, path, routed }, (answer) => {
      if (answer.allowed) {
        done();
        return;
      }
      const { status, body } = denialBody(answer);
      reply.code(status).send(body);
    });
  };
}

/** A template of find-my-way as ours: `/v1/:id(\\d+)` is `v1/{id}`. */
function templateOf(url: string): string {
  return url
    .replace(/^\//, "")
    .split("/")
    .map((segment) => (segment.startsWith(":") ? "{parameter}" : segment))
    .join("/");
}
