import type { IncomingMessage, ServerResponse } from "node:http";
import type { Enforcer } from "./enforcer.ts";
import { routesTaken } from "./express-routes.ts";
import { authorizeRequest, deny, type HttpAuthorizeOptions, pathOf, userOf } from "./http.ts";

/** What this package needs of a request of Express, 4 or 5. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
  readonly baseUrl: string;
  /** The application whose routes will be looked at. */
  readonly app?: unknown;
}

/** Middleware of Express. */
export type ExpressMiddleware<R extends ExpressRequest> = (
  request: R,
  response: ServerResponse,
  next: () => void,
) => void;

/**
 * Middleware for Express that ends what is not permitted. Put it before everything that answers; middleware before it must
 * not change the URL, which is noticed and denied. The application's router is asked beforehand which route it will take:
 * if that is another one than the bundle declares for the path, the request is denied.
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
    const routed = routesTaken(request.app, request.method ?? "", path);
    const user = userOf(options, request);
    authorizeRequest({ enforcer, request, user, path, routed }, (answer) => {
      if (answer.allowed) next();
      else deny(response, answer);
    });
  };
}
