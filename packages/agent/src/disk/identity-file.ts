import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import { encodePrivateKey, parseCertificate, parsePrivateKey } from "@bonafide/pki";
import { type X509Svid, x509SvidOf } from "@bonafide/spiffe";
import { AGENT_ERRORS } from "../errors.ts";
import { readPrivateFile, removePrivateFile, writePrivateFile } from "./private-file.ts";

/** The agent's own SVID, as it is kept across restarts. */
export interface StoredIdentity {
  readonly svid: X509Svid;
  /** When the server handed it out, by this node's clock. */
  readonly receivedAt: EpochMs;
  /** Whether the node can attest again by itself. */
  readonly reattestable: boolean;
}

/** The agent's SVID and key in one file, so that no crash leaves one without the other. */
export class IdentityFile {
  readonly #path: string;

  /** @param path  In the data folder; the file is 0600. */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws AGENT_STATE_INVALID, AGENT_STATE_UNAVAILABLE */
  async read(): Promise<StoredIdentity | undefined> {
    const bytes = await readPrivateFile(this.#path);
    if (bytes === undefined) return undefined;
    try {
      const fields: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
      if (!isFields(fields)) throw new TypeError("fields");
      return {
        svid: x509SvidOf({
          chain: fields.chain.map((der) => parseCertificate(Buffer.from(der, "base64"))),
          privateKey: parsePrivateKey(Buffer.from(fields.key, "base64")),
        }),
        receivedAt: fields.receivedAt,
        reattestable: fields.reattestable,
      };
    } catch (cause) {
      throw new BonafideError(
        AGENT_ERRORS,
        "AGENT_STATE_INVALID",
        `${this.#path} is damaged; remove it and join with a new token`,
        { cause, details: { path: this.#path } },
      );
    }
  }

  /** @throws AGENT_STATE_UNAVAILABLE */
  async write(identity: StoredIdentity): Promise<void> {
    const { svid, receivedAt, reattestable } = identity;
    const text = JSON.stringify({
      key: Buffer.from(encodePrivateKey(svid.privateKey)).toString("base64"),
      chain: svid.chain.map(({ der }) => Buffer.from(der).toString("base64")),
      receivedAt,
      reattestable,
    });
    await writePrivateFile(this.#path, Buffer.from(text, "utf8"));
  }

  /** @throws AGENT_STATE_UNAVAILABLE */
  remove(): Promise<void> {
    return removePrivateFile(this.#path);
  }
}

interface Fields {
  readonly key: string;
  readonly chain: readonly string[];
  readonly receivedAt: number;
  readonly reattestable: boolean;
}

function isFields(value: unknown): value is Fields {
  return (
    typeof value === "object" &&
    value !== null &&
    "key" in value &&
    typeof value.key === "string" &&
    "chain" in value &&
    Array.isArray(value.chain) &&
    value.chain.every((der) => typeof der === "string") &&
    "receivedAt" in value &&
    typeof value.receivedAt === "number" &&
    "reattestable" in value &&
    typeof value.reattestable === "boolean"
  );
}
