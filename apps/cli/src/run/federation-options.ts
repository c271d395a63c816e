import { readFileSync, statSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import type { ServerOptions } from "@bonafide/server";
import type { ServerConfig } from "../config/server-config.ts";
import { CLI_ERRORS } from "../errors.ts";
import { splitHostPort } from "./listen-address.ts";

const ROOTS_BYTES_MAX = 16 * 1024 * 1024;

/** What the configuration says of federation, for the server. @throws FILE_UNREADABLE */
export function federationOf({
  bundle_endpoint: endpoint,
  web_roots: roots,
}: ServerConfig): Pick<ServerOptions, "bundleEndpoint" | "webRoots"> {
  return {
    ...(roots === undefined ? {} : { webRoots: readRoots(roots) }),
    ...(endpoint === undefined
      ? {}
      : {
          bundleEndpoint: {
            ...splitHostPort(endpoint.listen),
            refreshHintSeconds: Math.round(endpoint.refresh_hint / 1000),
            profile:
              endpoint.profile === "https_spiffe"
                ? { kind: "https_spiffe" }
                : {
                    kind: "https_web",
                    certificateFile: endpoint.certificate ?? "",
                    keyFile: endpoint.key ?? "",
                  },
          },
        }),
  };
}

function readRoots(path: string): string {
  try {
    if (statSync(path).size > ROOTS_BYTES_MAX) throw new Error("the file is too long");
    const text = readFileSync(path, "utf8");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    throw new Error("no certificate is in it");
  } catch (cause) {
    throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `${path} cannot be read as roots`, {
      cause,
    });
  }
}
