import type { Log } from "@bonafide/lifetime";
import {
  createX509popAttestor,
  createX509popProver,
  openAuthorityFiles,
} from "@bonafide/node-attestor-x509pop";
import type { NodeAttestor, NodeProver } from "@bonafide/plugin-api";
import type { NodeAttestorConfig, NodeAttestorsConfig } from "../config/node-attestor-config.ts";

/** The node attestors that a server's file names. @throws NODE_ATTESTOR_MISCONFIGURED */
export async function openNodeAttestors(
  config: NodeAttestorsConfig | undefined,
  log: Log,
): Promise<readonly NodeAttestor[]> {
  const x509pop = config?.x509pop;
  if (x509pop === undefined) return [];
  const { agent_path_template: agentPathTemplate } = x509pop;
  const options = agentPathTemplate === undefined ? {} : { agentPathTemplate };
  if (x509pop.mode === "external_pki") {
    const authorities = await openAuthorityFiles(x509pop.ca_bundle_paths, { log });
    return [createX509popAttestor({ mode: "external_pki", authorities }, options)];
  }
  const { svid_prefix: svidPrefix } = x509pop;
  const prefix = svidPrefix === undefined ? {} : { svidPrefix };
  return [createX509popAttestor({ mode: "spiffe", ...prefix }, options)];
}

/** How an agent's file says that the node proves itself; undefined: by join tokens only. */
export function nodeProverOf(config: NodeAttestorConfig | undefined): NodeProver | undefined {
  const x509pop = config?.x509pop;
  if (x509pop === undefined) return undefined;
  const { intermediates_path: intermediatesPath } = x509pop;
  return createX509popProver({
    privateKeyPath: x509pop.private_key_path,
    certificatePath: x509pop.certificate_path,
    ...(intermediatesPath === undefined ? {} : { intermediatesPath }),
  });
}
