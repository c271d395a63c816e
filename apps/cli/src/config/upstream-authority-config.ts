import { z } from "zod";
import { hostPort, path } from "./fields.ts";

/** `upstream_authority` of the server's file: one of the two. */
export interface UpstreamAuthorityConfig {
  readonly disk?:
    | {
        readonly certificate_path: string;
        readonly private_key_path: string;
        readonly bundle_path?: string | undefined;
      }
    | undefined;
  readonly spire?:
    | {
        readonly server_address: string;
        readonly workload_api_socket: string;
        readonly hint?: string | undefined;
      }
    | undefined;
}

/** Schema of `upstream_authority` of the server's file. */
export const upstreamAuthority: z.ZodType<UpstreamAuthorityConfig> = z
  .strictObject({
    disk: z
      .strictObject({
        certificate_path: path.describe("PEM: the authority, then what stands above it"),
        private_key_path: path.describe("PEM, PKCS#8: its key"),
        bundle_path: path.optional().describe("PEM: the roots; default: the authority is the root"),
      })
      .optional()
      .describe("an authority in files"),
    spire: z
      .strictObject({
        server_address: hostPort.describe("the server above, Bonafide's or SPIRE's"),
        workload_api_socket: path.describe(
          "Workload API of an agent of that server; this server is its workload",
        ),
        hint: z
          .string()
          .min(1)
          .max(1024)
          .optional()
          .describe("hint of its entry there, where this process has several"),
      })
      .optional()
      .describe("a server above this one"),
  })
  .refine(({ disk, spire }) => (disk === undefined) !== (spire === undefined), {
    message: "needs either disk or spire",
  });
