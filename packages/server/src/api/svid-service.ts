import { randomUUID } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import type {
  BatchNewX509SVIDResponse_Result as Result,
  NewX509SVIDParams,
  SVID,
} from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import {
  BatchNewX509SVIDResponse_ResultSchema as ResultSchema,
  NewJWTSVIDResponseSchema,
} from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { Handlers } from "@bonafide/rpc";
import { isAudience, parseSpiffeId } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { signJwt } from "../authority/sign-jwt.ts";
import { type SigningAuthority, signSvid } from "../authority/sign-svid.ts";
import { entryTtlMs } from "../core/svid-validity.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { newDownstreamCa } from "./downstream.ts";
import type { EntitledEntry } from "./entitlements.ts";
import { isOurFault, itemFailed, itemOk } from "./item-status.ts";
import { mintJwt, mintX509 } from "./mint.ts";
import { keyOfCsr } from "./read-csr.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { TimeSlices } from "./time-slices.ts";
import { toWireJwtSvid, toWireSvid } from "./wire-svid.ts";

/** spire.api.server.svid.v1.SVID: signs for the entries of the calling node, and for nothing else. */
export function svidHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
): Partial<Handlers<typeof SVID, ServerPeer>> {
  const { access, authorities, clock, entitlements, freshness } = deps;
  const { jwtAuthorities, jwtSignRate, log, signRate, soft } = deps;

  function sign(
    authority: SigningAuthority,
    entries: ReadonlyMap<string, EntitledEntry>,
    params: NewX509SVIDParams,
  ): Result {
    if (params.entryId === "") throw invalid("the entry id is missing");
    const spki = keyOfCsr(params.csr);
    const entitled = entries.get(params.entryId);
    if (entitled === undefined) throw noEntry();
    const { entry } = entitled;
    const request = {
      id: parseSpiffeId(entry.spiffeId),
      spki,
      ttlMs: entryTtlMs(entry.x509SvidTtlSeconds, options.x509SvidTtlMs),
      dnsNames: entry.dnsNames,
    };
    const svid = signSvid(authority, request, clock.now());
    return create(ResultSchema, { status: itemOk(), svid: toWireSvid(svid, entry.hint) });
  }

  return {
    mintX509SVID: (request, { peer }) => mintX509(deps, options, request, peer),
    newDownstreamX509CA: (request, { peer }) => newDownstreamCa(deps, options, request, peer),
    mintJWTSVID: (request, { peer }) => mintJwt(deps, options, request, peer),
    newJWTSVID: ({ entryId, audience }, { peer }) => {
      const agent = access.agent(peer);
      if (entryId === "") throw invalid("the entry id is missing");
      if (!isAudience(audience)) throw invalid("an audience is needed, and each a text of its own");
      jwtSignRate.take(agent.peer.id, 1);
      soft.saw(agent.peer);
      freshness.assertFresh();
      const entitled = entitlements.of(agent.peer.id).entries.get(entryId);
      if (entitled === undefined) throw noEntry();
      const { entry } = entitled;
      const isUnique = entry.additionalAttributes?.jwtSvidIncludeJti === true;
      const svid = signJwt(
        jwtAuthorities.signing(),
        {
          id: parseSpiffeId(entry.spiffeId),
          audience,
          ttlMs: entryTtlMs(entry.jwtSvidTtlSeconds, options.jwtSvidTtlMs),
          issuer: options.jwtIssuer,
          tokenId: isUnique ? randomUUID() : undefined,
        },
        clock.now(),
      );
      return create(NewJWTSVIDResponseSchema, { svid: toWireJwtSvid(svid, entry.hint) });
    },
    async batchNewX509SVID({ params }, { peer }) {
      const agent = access.agent(peer);
      if (params.length === 0) throw invalid("nothing to sign was given");
      if (params.length > LIMITS.signaturesPerCall) {
        throw new BonafideError(SERVER_ERRORS, "OVERLOADED", "too many requests in one call");
      }
      signRate.take(agent.peer.id, params.length);
      soft.saw(agent.peer);
      const results: Result[] = [];
      const slices = new TimeSlices();
      for (const item of params) {
        await slices.pause();
        try {
          // Asked for each item: whoever is banned or loses an entry meanwhile gets nothing more.
          freshness.assertFresh();
          access.agent(peer);
          const { entries } = entitlements.of(agent.peer.id);
          results.push(sign(authorities.signing(), entries, item));
        } catch (error) {
          if (isOurFault(error)) log({ level: "error", event: "svid.not_signed", error });
          results.push(create(ResultSchema, { status: itemFailed(error) }));
        }
      }
      return { results };
    },
  };
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}

function noEntry(): BonafideError {
  return new BonafideError(SERVER_ERRORS, "ENTRY_NOT_FOUND", "no such entry for this agent");
}
