import type { IncomingMessage, ServerResponse } from "node:http";
import type { Enforcer } from "./enforcer.ts";
import { authorizeRequest, deny, type HttpAuthorizeOptions, pathOf, userOf } from "./http.ts";

/** What this package needs of a request of Express, 4 or 5. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
  readonly baseUrl: string;
}

/** Middleware of Express. */
export type ExpressMiddleware<R extends ExpressRequest> = (
  request: R,
  response: ServerResponse,
  next: () => void,
) => void;

/**
 * Middleware for Express that ends what is not permitted. Put it before everything that answers; middleware before it must
 * not change the URL, which is noticed and denied.
 *
 * @example app.use(authorizeExpress(enforcer));
 */
export function authorizeExpress<R extends ExpressRequest>(
  enforcer: Enforcer,
  options: HttpAuthorizeOptions<R> = {},
): ExpressMiddleware<R> {
  return (request, response, next) => {
    const { originalUrl, baseUrl, url = "" } = request;
    // What the router will read has to be what is decided about. No path stands for one that was rewritten.
    const isAsItCame = baseUrl + url === originalUrl || (url === "/" && baseUrl === originalUrl);
    const path = isAsItCame ? pathOf(originalUrl) : "";
    authorizeRequest({ enforcer, request, user: userOf(options, request), path }, (answer) => {
      if (answer.allowed) next();
      else deny(response, answer);
    });
  };
}
