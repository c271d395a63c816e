import { stat } from "node:fs/promises";
import { BonafideError } from "@bonafide/errors";
import type { Clock, Log } from "@bonafide/lifetime";
import { encodeName, parseCsr, randomSerial, verifyCsr } from "@bonafide/pki";
import {
  type MintedAuthority,
  type MintRequest,
  UPSTREAM_AUTHORITY_ERRORS,
  type UpstreamAuthority,
  type UpstreamBundle,
  type UpstreamRoot,
} from "@bonafide/plugin-api";
import {
  type AuthorityPaths,
  type DiskAuthority,
  invalid,
  readAuthority,
} from "./read-authority.ts";

/** Options of {@link openDiskUpstreamAuthority}. */
export interface DiskUpstreamOptions {
  /** Name without scheme: what the authorities that it signs are of. */
  readonly trustDomain: string;
  /** PEM: the authority's certificate, then what stands between it and a root. */
  readonly certificatePath: string;
  /** PEM, PKCS#8. */
  readonly privateKeyPath: string;
  /** PEM: the roots. Default: the certificate is the root. */
  readonly bundlePath?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** How far a certificate's begin lies before its signing, so that slow clocks accept it at once, ms. */
const BACKDATE_MS = 10_000;

type Options = { readonly signal?: AbortSignal };

/**
 * Opens an upstream authority whose certificate and key are files. They are read again when one of them changes; what
 * cannot be used then is logged, and the last good one stays in force.
 *
 * @throws UPSTREAM_AUTHORITY_INVALID, UPSTREAM_AUTHORITY_UNAVAILABLE
 */
export async function openDiskUpstreamAuthority(
  options: DiskUpstreamOptions,
): Promise<UpstreamAuthority> {
  const paths = {
    certificatePath: options.certificatePath,
    privateKeyPath: options.privateKeyPath,
    bundlePath: options.bundlePath,
  };
  const seen = await fingerprint(paths);
  const authority = await readAuthority(paths, options.clock.now());
  return new DiskUpstreamAuthority(options, paths, { seen, authority });
}

class DiskUpstreamAuthority implements UpstreamAuthority {
  readonly name = "disk";
  readonly #options: DiskUpstreamOptions;
  readonly #paths: AuthorityPaths;
  #seen: string;
  #authority: DiskAuthority;
  #reading: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    options: DiskUpstreamOptions,
    paths: AuthorityPaths,
    first: { readonly seen: string; readonly authority: DiskAuthority },
  ) {
    this.#options = options;
    this.#paths = paths;
    this.#seen = first.seen;
    this.#authority = first.authority;
  }

  async mint({ csr, ttlMs }: MintRequest, options?: Options): Promise<MintedAuthority> {
    const { certificate, issuer, above } = await this.#newest(options);
    let spki: Uint8Array;
    try {
      const request = parseCsr(csr);
      verifyCsr(request);
      ({ spki } = request);
    } catch (cause) {
      throw invalid("the request is none, or not signed by its key", cause);
    }
    const now = this.#options.clock.now();
    const notAfter = Math.min(now + ttlMs, certificate.notAfter);
    if (notAfter <= now + BACKDATE_MS) throw invalid("the authority on disk has ended");
    const serial = randomSerial();
    const { der } = issuer.issueAuthority({
      spki,
      uris: [`spiffe://${this.#options.trustDomain}`],
      serial,
      subject: encodeName([
        { type: "C", value: "US" },
        { type: "O", value: "SPIFFE" },
        { type: "serialNumber", value: serial.toString() },
      ]),
      notBefore: now - BACKDATE_MS,
      notAfter,
    });
    return { chain: [der, ...above], roots: this.#roots() };
  }

  async bundle(options?: Options): Promise<UpstreamBundle> {
    await this.#newest(options);
    return { roots: this.#roots(), jwtKeys: [], sequenceNumber: undefined, isWhole: false };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #roots(): readonly UpstreamRoot[] {
    return this.#authority.roots.map(({ der }) => ({ certificate: der, tainted: false }));
  }

  async #newest({ signal }: Options = {}): Promise<DiskAuthority> {
    signal?.throwIfAborted();
    if (this.#isClosed) {
      const message = "the upstream authority was closed";
      throw new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_CLOSED", message);
    }
    this.#reading ??= this.#reread().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
    signal?.throwIfAborted();
    return this.#authority;
  }

  /** Never rejects. */
  async #reread(): Promise<void> {
    const { clock, log } = this.#options;
    const seen = await fingerprint(this.#paths);
    if (seen === this.#seen) return;
    this.#seen = seen;
    try {
      this.#authority = await readAuthority(this.#paths, clock.now());
      log({ level: "info", event: "upstream_files.read" });
    } catch (error) {
      log({ level: "error", event: "upstream_files.not_read", error });
    }
  }
}

/** Changes when one of the files does. */
async function fingerprint(paths: AuthorityPaths): Promise<string> {
  const marks = Object.values(paths).map(async (path: string | undefined) => {
    if (path === undefined) return "";
    try {
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      return `${ino}.${size}.${mtimeNs}`;
    } catch {
      return "away";
    }
  });
  return (await Promise.all(marks)).join();
}
