import { BonafideError } from "@bonafide/errors";
import {
  BatchCreateFederatedBundleResponse_ResultSchema as CreatedSchema,
  BatchDeleteFederatedBundleRequest_Mode as Mode,
  BatchDeleteFederatedBundleResponse_ResultSchema as DeletedSchema,
  BatchSetFederatedBundleResponse_ResultSchema as SetSchema,
  BatchUpdateFederatedBundleResponse_ResultSchema as UpdatedSchema,
  type Bundle,
} from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import type { Bundle as WireBundle, BundleMask } from "@bonafide/proto/spire/api/types/bundle_pb";
import type { Handlers } from "@bonafide/rpc";
import { create } from "@bufbuild/protobuf";
import { nextPageToken, pageRequest } from "../core/page.ts";
import {
  type BundleRemovalMode,
  proposeBundle,
  proposeBundleChange,
  proposeBundleRemoval,
  proposeNewBundle,
} from "../core/propose-bundle.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { bundleObjectOf, readBundleObject } from "../federation/foreign-bundle.ts";
import type { Decide } from "../lane/registry-view.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import { eachItem } from "./each-item.ts";
import { itemFailed, itemOk } from "./item-status.ts";
import { memoryPage } from "./memory-page.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { mapSliced } from "./time-slices.ts";
import { mergeBundle, readForeignName, readWireBundle } from "./wire-bundle.ts";
import { toWireForeignBundle } from "./wire-svid.ts";

const MODES: ReadonlyMap<Mode, BundleRemovalMode> = new Map([
  [Mode.RESTRICT, "restrict"],
  [Mode.DELETE, "delete"],
  [Mode.DISSOCIATE, "dissociate"],
]);

/** The part of spire.api.server.bundle.v1.Bundle about other trust domains' bundles. */
export function federatedBundleHandlers(
  { bundles, lane, log, registry }: ServiceDeps,
  { trustDomain: own }: ServiceOptions,
): Partial<Handlers<typeof Bundle, ServerPeer>> {
  const each = { log, event: "federated_bundle.not_written", max: LIMITS.bundlesPerCall };

  /** The bundle as it is held now; nothing, if it went again meanwhile. */
  function held(name: string, mask: BundleMask | undefined): { bundle?: WireBundle } {
    const foreign = bundles.foreign(name);
    return foreign === undefined ? {} : { bundle: toWireForeignBundle(foreign, mask) };
  }

  async function write(decide: Decide, peer: ServerPeer, cause: string): Promise<void> {
    await lane.submit(decide, { actor: actorOf(peer), cause });
  }

  async function remove(name: string, mode: BundleRemovalMode, peer: ServerPeer): Promise<string> {
    const trustDomain = readForeignName(name, own);
    const meta = { actor: actorOf(peer), cause: "BatchDeleteFederatedBundle" };
    for (;;) {
      const { changes } = await lane.submit(proposeBundleRemoval(trustDomain, mode), meta);
      if (changes.some(({ kind }) => kind === "bundle")) return trustDomain;
    }
  }

  return {
    countBundles: () => ({ count: registry.count("bundle") + 1 }),

    async listFederatedBundles({ outputMask, pageSize, pageToken }) {
      const page = pageRequest(pageSize, pageToken, "bundles");
      const rows = memoryPage(registry.all("bundle"), page);
      const listed = await mapSliced(rows, ({ object }) => bundles.foreign(object.trustDomain));
      return {
        bundles: listed.flatMap((foreign) =>
          foreign === undefined ? [] : [toWireForeignBundle(foreign, outputMask)],
        ),
        nextPageToken: nextPageToken(page, rows.at(-1)?.firstN),
      };
    },

    getFederatedBundle({ trustDomain, outputMask }) {
      const foreign = bundles.foreign(readForeignName(trustDomain, own));
      if (foreign === undefined) {
        throw new BonafideError(SERVER_ERRORS, "BUNDLE_NOT_FOUND", "this bundle is not here");
      }
      return toWireForeignBundle(foreign, outputMask);
    },

    async batchCreateFederatedBundle({ bundle: items, outputMask }, { peer }) {
      const results = await eachItem(
        items,
        async (item) => {
          const object = bundleObjectOf(readWireBundle(item, own), "");
          await write(proposeNewBundle(object), peer, "BatchCreateFederatedBundle");
          return create(CreatedSchema, {
            status: itemOk(),
            ...held(object.trustDomain, outputMask),
          });
        },
        (_item, error) => create(CreatedSchema, { status: itemFailed(error) }),
        each,
      );
      return { results };
    },

    async batchUpdateFederatedBundle({ bundle: items, inputMask, outputMask }, { peer }) {
      const results = await eachItem(
        items,
        async (item) => {
          const given = readWireBundle(item, own);
          const decide = proposeBundleChange(given.trustDomain, (stored) =>
            bundleObjectOf(mergeBundle(readBundleObject(stored), given, inputMask), ""),
          );
          await write(decide, peer, "BatchUpdateFederatedBundle");
          return create(UpdatedSchema, {
            status: itemOk(),
            ...held(given.trustDomain, outputMask),
          });
        },
        (_item, error) => create(UpdatedSchema, { status: itemFailed(error) }),
        each,
      );
      return { results };
    },

    async batchSetFederatedBundle({ bundle: items, outputMask }, { peer }) {
      const results = await eachItem(
        items,
        async (item) => {
          const object = bundleObjectOf(readWireBundle(item, own), "");
          await write(proposeBundle(object), peer, "BatchSetFederatedBundle");
          return create(SetSchema, { status: itemOk(), ...held(object.trustDomain, outputMask) });
        },
        (_item, error) => create(SetSchema, { status: itemFailed(error) }),
        each,
      );
      return { results };
    },

    async batchDeleteFederatedBundle({ trustDomains, mode }, { peer }) {
      const word = MODES.get(mode);
      if (word === undefined) {
        throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "no such mode of deletion");
      }
      const results = await eachItem(
        trustDomains,
        async (name) =>
          create(DeletedSchema, {
            status: itemOk(),
            trustDomain: await remove(name, word, peer),
          }),
        (name, error) =>
          create(DeletedSchema, { status: itemFailed(error), trustDomain: name.slice(0, 255) }),
        each,
      );
      return { results };
    },
  };
}
