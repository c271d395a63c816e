import { renderStatus } from "@bonafide/rpc";
import { grpcPeer } from "@bonafide/spiffe";
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import type { VerifiedUser } from "./core/verified-user.ts";
import { type Answer, denialOf, type Enforcer } from "./enforcer.ts";

/** Options of {@link authorizeGrpc}. */
export interface GrpcAuthorizeOptions {
  /** As `user` of {@link HttpAuthorizeOptions}, from the metadata of a call. */
  readonly user?: (metadata: Metadata) => Promise<VerifiedUser | undefined>;
}

/**
 * An interceptor for servers of grpc-js: what is not permitted never reaches a handler and ends with PERMISSION_DENIED, or
 * UNAVAILABLE while there is no bundle. The path is the registered method's own, not what the wire said.
 *
 * @example new Server({ interceptors: [authorizeGrpc(enforcer)] })
 */
export function authorizeGrpc(
  enforcer: Enforcer,
  options: GrpcAuthorizeOptions = {},
): ServerInterceptor {
  return ({ path }, call) => {
    const decide = (user: VerifiedUser | "invalid" | undefined): Answer =>
      enforcer.authorize({
        peer: grpcPeer(call),
        action: "grpc.call",
        asked: { path },
        user,
      });
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, go) => {
            const end = (answer: Answer): void => {
              if (answer.allowed) go(metadata);
              else call.sendStatus(renderStatus(denialOf(answer)));
            };
            void verified(options, metadata)
              .then((user) => end(decide(user)))
              .catch((error: unknown) => {
                // The connection closed while its token was verified, or worse: nobody goes on.
                call.sendStatus(renderStatus(error));
              });
          },
        });
      },
    });
  };
}

async function verified(
  { user }: GrpcAuthorizeOptions,
  metadata: Metadata,
): Promise<VerifiedUser | "invalid" | undefined> {
  try {
    return await user?.(metadata);
  } catch {
    // Why is the verifier's to log; the call is denied and recorded.
    return "invalid";
  }
}
