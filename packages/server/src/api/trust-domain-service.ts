import { BonafideError } from "@bonafide/errors";
import {
  BatchCreateFederationRelationshipResponse_ResultSchema as CreatedSchema,
  BatchDeleteFederationRelationshipResponse_ResultSchema as DeletedSchema,
  BatchUpdateFederationRelationshipResponse_ResultSchema as UpdatedSchema,
  type TrustDomain,
} from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import type {
  FederationRelationship,
  FederationRelationshipMask,
} from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import type { Handlers } from "@bonafide/rpc";
import { create } from "@bufbuild/protobuf";
import { nextPageToken, pageRequest } from "../core/page.ts";
import {
  proposeRelationship,
  proposeRelationshipChange,
  proposeRelationshipRemoval,
} from "../core/propose-federation.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { Decide } from "../lane/registry-view.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import { eachItem } from "./each-item.ts";
import { itemFailed, itemOk } from "./item-status.ts";
import { memoryPage } from "./memory-page.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { mapSliced } from "./time-slices.ts";
import { readForeignName } from "./wire-bundle.ts";
import { readRelationship, toWireRelationship } from "./wire-relationship.ts";

/** spire.api.server.trustdomain.v1.TrustDomain: whose bundles are fetched, and from where. */
export function trustDomainHandlers(
  { bundles, lane, log, refresher, registry }: ServiceDeps,
  { trustDomain: own }: ServiceOptions,
): Handlers<typeof TrustDomain, ServerPeer> {
  const each = { log, event: "federation.not_written", max: LIMITS.bundlesPerCall };

  async function write(decide: Decide, peer: ServerPeer, cause: string): Promise<void> {
    await lane.submit(decide, { actor: actorOf(peer), cause });
  }

  function find(
    name: string,
    mask: FederationRelationshipMask | undefined,
  ): FederationRelationship | undefined {
    const known = registry.find("federation", name)?.object;
    return known === undefined ? undefined : toWireRelationship(known, bundles.foreign(name), mask);
  }

  /** The relationship as it is held now; nothing, if it went again meanwhile. */
  function held(
    name: string,
    mask: FederationRelationshipMask | undefined,
  ): { federationRelationship?: FederationRelationship } {
    const found = find(name, mask);
    return found === undefined ? {} : { federationRelationship: found };
  }

  return {
    async listFederationRelationships({ outputMask, pageSize, pageToken }) {
      const page = pageRequest(pageSize, pageToken, "relationships");
      const rows = memoryPage(registry.all("federation"), page);
      return {
        federationRelationships: await mapSliced(rows, ({ object }) =>
          toWireRelationship(object, bundles.foreign(object.trustDomain), outputMask),
        ),
        nextPageToken: nextPageToken(page, rows.at(-1)?.firstN),
      };
    },

    getFederationRelationship({ trustDomain, outputMask }) {
      const name = readForeignName(trustDomain, own);
      const found = find(name, outputMask);
      if (found !== undefined) return found;
      throw new BonafideError(
        SERVER_ERRORS,
        "FEDERATION_NOT_FOUND",
        `there is no relationship with ${name}`,
      );
    },

    async batchCreateFederationRelationship({ federationRelationships, outputMask }, { peer }) {
      const results = await eachItem(
        federationRelationships,
        async (item) => {
          const wanted = readRelationship(item, own);
          const { trustDomain } = wanted.relationship;
          await write(proposeRelationship(wanted, own), peer, "BatchCreateFederationRelationship");
          return create(CreatedSchema, { status: itemOk(), ...held(trustDomain, outputMask) });
        },
        (_item, error) => create(CreatedSchema, { status: itemFailed(error) }),
        each,
      );
      return { results };
    },

    async batchUpdateFederationRelationship(
      { federationRelationships, inputMask, outputMask },
      { peer },
    ) {
      const results = await eachItem(
        federationRelationships,
        async (item) => {
          const trustDomain = readForeignName(item.trustDomain, own);
          const decide = proposeRelationshipChange(
            trustDomain,
            (stored) => readRelationship(item, own, stored, inputMask),
            own,
          );
          await write(decide, peer, "BatchUpdateFederationRelationship");
          return create(UpdatedSchema, { status: itemOk(), ...held(trustDomain, outputMask) });
        },
        (_item, error) => create(UpdatedSchema, { status: itemFailed(error) }),
        each,
      );
      return { results };
    },

    async batchDeleteFederationRelationship({ trustDomains }, { peer }) {
      const results = await eachItem(
        trustDomains,
        async (name) => {
          const trustDomain = readForeignName(name, own);
          await write(
            proposeRelationshipRemoval(trustDomain),
            peer,
            "BatchDeleteFederationRelationship",
          );
          return create(DeletedSchema, { status: itemOk(), trustDomain });
        },
        (name, error) =>
          create(DeletedSchema, { status: itemFailed(error), trustDomain: name.slice(0, 255) }),
        each,
      );
      return { results };
    },

    async refreshBundle({ trustDomain }) {
      await refresher.refresh(readForeignName(trustDomain, own));
      return {};
    },
  };
}
