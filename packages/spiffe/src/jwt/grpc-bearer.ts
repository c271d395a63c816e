import { callbackify as toCallback } from "node:util";
import { CallCredentials, Metadata } from "@grpc/grpc-js";
import {
  admitBearer,
  bearerOf,
  bearerRequestHeaders,
  type JwtSvidSource,
  type VerifyBearerOptions,
} from "./bearer.ts";
import type { VerifiedJwtSvid } from "./verify-jwt-svid.ts";

/**
 * Call credentials that show our token to one audience. Combine them with channel credentials of TLS, such as
 * `grpcCredentials`: grpc-js refuses that for plaintext. Given to a single call, it sends them over any channel.
 *
 * @spec JWT-SVID §5.3
 */
export function bearerCallCredentials(
  source: Pick<JwtSvidSource, "fetch">,
  options: { readonly audience: string },
): CallCredentials {
  const metadataOf = async (): Promise<Metadata> => {
    const { authorization } = await bearerRequestHeaders(source, options.audience);
    const metadata = new Metadata();
    metadata.set("authorization", authorization);
    return metadata;
  };
  return CallCredentials.createFromMetadataGenerator((_params, callback) => {
    toCallback(metadataOf)(callback);
  });
}

/**
 * Who calls, by the JWT-SVID in the call's metadata.
 *
 * @throws as `verifyBearer`
 * @spec JWT-SVID §5.3
 */
export function verifyGrpcBearer(
  call: { readonly metadata: Metadata },
  options: VerifyBearerOptions,
): VerifiedJwtSvid {
  const values = call.metadata.get("authorization").map((value) => value.toString());
  return admitBearer(bearerOf(values), options);
}
