import type { Socket } from "node:net";
import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import { createTlsConnector, type TlsConnector, type TlsConnectorOptions } from "./connector.ts";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Channel credentials for grpc-js: each new connection presents the SVID of the moment and verifies the server by the
 * rules of X509-SVID. The reason of a refusal reaches the caller in the status text of UNAVAILABLE.
 *
 * Pinned to grpc-js's own extension points (`_createSecureConnector`); a test holds them.
 *
 * @example
 *   const client = new Greeter("server:8443", grpcCredentials({ source, authorize: exactId("spiffe://...") }));
 */
export function grpcCredentials(options: TlsConnectorOptions): ChannelCredentials {
  return new SpiffeChannelCredentials(createTlsConnector(options));
}

class SpiffeChannelCredentials extends ChannelCredentials {
  readonly #connector: TlsConnector;

  constructor(connector: TlsConnector) {
    super();
    this.#connector = connector;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(
    target: unknown,
    _options: unknown,
    callCredentials?: CallCredentials,
  ): SecureConnector {
    const connector = this.#connector;
    return {
      async connect(socket: Socket) {
        const connection = await connector.connect({ socket, ...hostOf(target) }, { alpn: ["h2"] });
        return { socket: connection.socket, secure: true };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}

/** The host of `dns:host:port`, for the server name; addresses give none. */
function hostOf(target: unknown): { readonly host?: string } {
  const path: unknown =
    typeof target === "object" && target !== null ? Reflect.get(target, "path") : undefined;
  const scheme: unknown =
    typeof target === "object" && target !== null ? Reflect.get(target, "scheme") : undefined;
  if (scheme !== "dns" || typeof path !== "string") return {};
  const host = /^(?<host>[^:/[\]]+)(?::[0-9]+)?$/.exec(path)?.groups?.["host"];
  return host === undefined ? {} : { host };
}
