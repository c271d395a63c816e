import { BonafideError } from "@bonafide/errors";
import type { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import type { Handlers } from "@bonafide/rpc";
import { addressKey } from "../core/address-key.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { appendBundle } from "./append-bundle.ts";
import { publishJwtAuthority } from "./downstream.ts";
import { federatedBundleHandlers } from "./federated-bundles.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { toWireBundle } from "./wire-svid.ts";

/** spire.api.server.bundle.v1.Bundle: our own bundle for anybody, others' for those who hold them. */
export function bundleHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
): Partial<Handlers<typeof Bundle, ServerPeer>> {
  return {
    ...federatedBundleHandlers(deps, options),
    publishJWTAuthority: (request, { peer }) => publishJwtAuthority(deps, request, peer),
    appendBundle: (request, { peer }) => appendBundle(deps, options, request, peer),
    getBundle({ outputMask }, { peer }) {
      if (peer.kind === "anonymous") deps.addressRate.take(addressKey(peer.address));
      const own = deps.bundles.own();
      if (own.bundle.x509.length === 0) {
        throw new BonafideError(SERVER_ERRORS, "BUNDLE_NOT_FOUND", "there is no bundle yet");
      }
      return toWireBundle(options.trustDomain, own, outputMask);
    },
  };
}
