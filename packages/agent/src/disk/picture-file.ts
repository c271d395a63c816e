import { BonafideError } from "@bonafide/errors";
import { WatchResponseSchema } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import type { TrustDomain } from "@bonafide/spiffe";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { TrustBundle } from "../core/bundle.ts";
import { AGENT_ERRORS } from "../errors.ts";
import type { Picture, PictureUpdate } from "../picture/picture.ts";
import { formatPicture } from "../wire/format-picture.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import { parseEntry } from "../wire/parse-entry.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

/** What was read back: the bundle alone, if the agent never synchronised. */
export interface StoredPicture {
  readonly bundle: TrustBundle;
  /** Undefined when there never was an entry set. */
  readonly update: PictureUpdate | undefined;
}

/** Marks a file whose entry set was never heard of: its revision. */
const NEVER_SYNCED = -1n;

/** Bundle and entry set across restarts, so that an agent serves before its server answers. */
export class PictureFile {
  readonly #path: string;

  /** @param path  In the data folder; the file is 0600. */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws AGENT_STATE_INVALID, AGENT_STATE_UNAVAILABLE */
  async read(trustDomain: TrustDomain): Promise<StoredPicture | undefined> {
    const bytes = await readPrivateFile(this.#path);
    if (bytes === undefined) return undefined;
    try {
      const stored = fromBinary(WatchResponseSchema, bytes);
      if (stored.bundle === undefined) throw new TypeError("no bundle");
      const bundle = parseBundle(stored.bundle, trustDomain);
      if (stored.revision === NEVER_SYNCED) return { bundle, update: undefined };
      const entries = stored.entries.map((entry) => parseEntry(entry, trustDomain));
      const { state, revision } = stored;
      return {
        bundle,
        update: {
          entries: { kind: "whole", entries },
          federated: {
            kind: "whole",
            bundles: stored.federatedBundles.map((federated) => parseBundle(federated)),
          },
          revision,
          ...(state === undefined
            ? {}
            : { state: { epoch: state.epoch, n: state.n, root: state.root } }),
        },
      };
    } catch (cause) {
      throw new BonafideError(
        AGENT_ERRORS,
        "AGENT_STATE_INVALID",
        `${this.#path} is damaged or of another trust domain`,
        { cause, details: { path: this.#path } },
      );
    }
  }

  /** @throws AGENT_STATE_UNAVAILABLE */
  async write(picture: Picture): Promise<void> {
    const message = formatPicture(picture);
    if (!picture.known) message.revision = NEVER_SYNCED;
    await writePrivateFile(this.#path, toBinary(WatchResponseSchema, message));
  }
}
