import type { SecureContextOptions } from "node:tls";
import type { Clock, Log } from "@bonafide/lifetime";
import { secureContextOptions, type TrustDomain, type X509Svid } from "@bonafide/spiffe";
import type { BundleCache } from "../authority/bundle-cache.ts";
import { BundleEndpoint } from "./bundle-endpoint.ts";
import { OwnDocument } from "./own-document.ts";
import {
  followWebCertificate,
  readWebCertificate,
  type WebCertificate,
  type WebCertificateFiles,
} from "./web-certificate.ts";

/** Our own bundle endpoint. */
export interface BundleEndpointOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** `https_spiffe`: the server's own SVID is presented. `https_web`: a certificate from files. */
  readonly profile:
    | { readonly kind: "https_spiffe" }
    | ({ readonly kind: "https_web" } & WebCertificateFiles);
  /** How often others should come, whole seconds, default 300. */
  readonly refreshHintSeconds?: number;
}

/** What {@link OwnEndpoint} works with. */
export interface OwnEndpointDeps {
  readonly bundles: BundleCache;
  readonly clock: Clock;
  readonly log: Log;
}

const REFRESH_HINT_SECONDS = 300;

/** Our bundle endpoint with what it presents: the server's SVID of the moment, or a certificate that is kept fresh. */
export class OwnEndpoint {
  readonly port: number;
  readonly #endpoint: BundleEndpoint;
  readonly #options: BundleEndpointOptions;
  readonly #deps: OwnEndpointDeps;
  readonly #web: WebCertificate | undefined;

  private constructor(
    endpoint: BundleEndpoint,
    port: number,
    options: BundleEndpointOptions,
    deps: OwnEndpointDeps,
    web: WebCertificate | undefined,
  ) {
    this.#endpoint = endpoint;
    this.port = port;
    this.#options = options;
    this.#deps = deps;
    this.#web = web;
  }

  /**
   * Opens it.
   *
   * @param svid  The server's own, of the moment.
   * @throws WEB_CERTIFICATE_UNUSABLE, and what the socket throws
   */
  static async open(
    svid: () => X509Svid,
    trustDomain: TrustDomain,
    deps: OwnEndpointDeps,
    options: BundleEndpointOptions,
  ): Promise<OwnEndpoint> {
    const { profile, refreshHintSeconds = REFRESH_HINT_SECONDS, host, port } = options;
    const web = profile.kind === "https_web" ? await readWebCertificate(profile) : undefined;
    const document = new OwnDocument(deps.bundles, trustDomain, refreshHintSeconds);
    const identity: SecureContextOptions = web ?? secureContextOptions(svid());
    const endpoint = new BundleEndpoint(identity, { document, log: deps.log });
    return new OwnEndpoint(endpoint, await endpoint.listen({ host, port }), options, deps, web);
  }

  /** Told of each new SVID of the server. */
  present(svid: X509Svid): void {
    if (this.#web === undefined) this.#endpoint.present(secureContextOptions(svid));
  }

  /** Keeps the certificate from files fresh until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { profile } = this.#options;
    if (profile.kind !== "https_web" || this.#web === undefined) return;
    const present = (certificate: WebCertificate): void => this.#endpoint.present(certificate);
    await followWebCertificate(profile, this.#deps, this.#web, present, signal);
  }

  /** Stops answering. Idempotent. */
  close(): Promise<void> {
    return this.#endpoint.close();
  }
}
