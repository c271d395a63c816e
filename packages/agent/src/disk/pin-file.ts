import { BonafideError } from "@bonafide/errors";
import { AGENT_ERRORS } from "../errors.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

/** What the agent learned once and holds on to. */
export interface Pins {
  readonly trustDomain: string;
  /** Raw Ed25519 key of the trust domain's recovery, 32 bytes; undefined until it was told. */
  readonly recoveryKey: Uint8Array | undefined;
  /** Hex SHA-256 of the join token that this node came in by. */
  readonly spentToken: string | undefined;
  /** IDs that this node had before it joined anew, the newest last; at most 16. */
  readonly formerIds: readonly string[];
  /** The ID it lost to a ban, until it joins anew. */
  readonly bannedId: string | undefined;
  /** The ID it lost otherwise: the server did not know it any more. */
  readonly evictedId: string | undefined;
}

/** The pins on disk; no secrets, but whoever could write them could stand in for the server. */
export class PinFile {
  readonly #path: string;

  /** @param path  In the data folder; the file is 0600. */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws AGENT_STATE_INVALID, AGENT_STATE_UNAVAILABLE */
  async read(): Promise<Pins | undefined> {
    const bytes = await readPrivateFile(this.#path);
    if (bytes === undefined) return undefined;
    try {
      const fields: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
      if (typeof fields !== "object" || fields === null) throw new TypeError("no object");
      const trustDomain = text(fields, "trustDomain");
      if (trustDomain === undefined) throw new TypeError("no trust domain");
      const key = text(fields, "recoveryKey");
      return {
        trustDomain,
        recoveryKey: key === undefined ? undefined : new Uint8Array(Buffer.from(key, "base64")),
        spentToken: text(fields, "spentToken"),
        formerIds: texts(fields, "formerIds"),
        bannedId: text(fields, "bannedId"),
        evictedId: text(fields, "evictedId"),
      };
    } catch (cause) {
      throw new BonafideError(AGENT_ERRORS, "AGENT_STATE_INVALID", `${this.#path} is damaged`, {
        cause,
        details: { path: this.#path },
      });
    }
  }

  /** @throws AGENT_STATE_UNAVAILABLE */
  async write(pins: Pins): Promise<void> {
    const { recoveryKey, ...others } = pins;
    const key = recoveryKey === undefined ? undefined : Buffer.from(recoveryKey).toString("base64");
    const fields = { ...others, recoveryKey: key };
    await writePrivateFile(this.#path, Buffer.from(JSON.stringify(fields), "utf8"));
  }
}

function text(fields: object, name: string): string | undefined {
  const value: unknown = Reflect.get(fields, name);
  return typeof value === "string" ? value : undefined;
}

function texts(fields: object, name: string): string[] {
  const value: unknown = Reflect.get(fields, name);
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
