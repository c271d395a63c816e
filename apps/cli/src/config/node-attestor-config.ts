import { z } from "zod";
import { path } from "./fields.ts";

/** `node_attestors` of the server's file. */
export interface NodeAttestorsConfig {
  readonly x509pop?: X509popServerConfig | undefined;
}

/** `node_attestors.x509pop` of the server's file. */
export type X509popServerConfig =
  | {
      readonly mode: "external_pki";
      readonly ca_bundle_paths: readonly string[];
      readonly agent_path_template?: string | undefined;
    }
  | {
      readonly mode: "spiffe";
      readonly svid_prefix?: string | undefined;
      readonly agent_path_template?: string | undefined;
    };

const template = z
  .string()
  .min(1)
  .max(1024)
  .optional()
  .describe("path of agents below /spire/agent, such as {{ .PluginName }}/{{ .Fingerprint }}");

const x509pop: z.ZodType<X509popServerConfig> = z.discriminatedUnion("mode", [
  z.strictObject({
    mode: z.literal("external_pki").describe("authorities of another system vouch for machines"),
    ca_bundle_paths: z.array(path).min(1).max(64).describe("PEM files of those authorities"),
    agent_path_template: template,
  }),
  z.strictObject({
    mode: z.literal("spiffe").describe("an SVID of our own is exchanged for an agent's"),
    svid_prefix: z
      .string()
      .max(1024)
      .optional()
      .describe("path above the SVIDs that are exchanged, default /spire-exchange"),
    agent_path_template: template,
  }),
]);

/** Schema of `node_attestors` of the server's file. */
export const nodeAttestors: z.ZodType<NodeAttestorsConfig> = z.strictObject({
  x509pop: x509pop.optional().describe("a certificate, and proof of holding its key"),
});

/** `node_attestor` of the agent's file: the one way by which the node proves itself. */
export interface NodeAttestorConfig {
  readonly x509pop: X509popAgentConfig;
}

/** `node_attestor.x509pop` of the agent's file. */
export interface X509popAgentConfig {
  readonly private_key_path: string;
  readonly certificate_path: string;
  readonly intermediates_path?: string | undefined;
}

/** Schema of `node_attestor` of the agent's file. */
export const nodeAttestor: z.ZodType<NodeAttestorConfig> = z.strictObject({
  x509pop: z
    .strictObject({
      private_key_path: path.describe("PEM of the node's private key, PKCS#8; 0600"),
      certificate_path: path.describe("PEM of its certificate; intermediates may follow"),
      intermediates_path: path
        .optional()
        .describe("PEM of certificates between it and the authority"),
    })
    .describe("a certificate, and proof of holding its key"),
});
