import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isBonafideError } from "@bonafide/errors";
import { formatPem } from "@bonafide/pki";
import { openWorkloadApi, type X509Context, type X509Svid } from "@bonafide/spiffe";
import { type Command, defineCommand } from "../arguments/command.ts";
import { formatDurationMs } from "../arguments/duration.ts";
import { WORKLOAD_SOCKET_FLAG } from "../clients/connect-agent.ts";
import { requireSocket } from "../clients/socket-client.ts";
import { workloadSocket } from "../clients/sockets.ts";
import { replaceFile } from "../clients/svid-files.ts";
import { EXIT } from "../exit-codes.ts";

const RETRY_MS = 500;

/** `bonafide api fetch x509` */
export const apiFetchX509: Command = defineCommand({
  name: "api fetch x509",
  summary: "fetches the X509-SVIDs of this process from the Workload API",
  flags: {
    ...WORKLOAD_SOCKET_FLAG,
    write: {
      kind: "string",
      help: "folder to write svid.N.pem, svid.N.key and bundle.N.pem to",
      placeholder: "DIR",
      spire: "write",
    },
    timeout: {
      kind: "duration",
      help: "how long to wait for an identity",
      spire: "timeout",
      standard: "1s",
    },
  },
  examples: [
    "bonafide api fetch x509",
    "bonafide exec --as web -- bonafide api fetch x509 --write /run/web",
  ],
  async run({ flags, env, output, signal }) {
    const choice = workloadSocket(flags.socket, env);
    requireSocket("agent", choice);
    const timeout = AbortSignal.timeout(flags.timeout ?? 1000);
    const context = await fetchContext(choice.path, AbortSignal.any([signal, timeout]), timeout);
    const svids = context.svids.map((svid) => describe(svid, context));
    const lines = svids.map(
      ({ spiffeId, hint, expiresAt }) =>
        `${spiffeId}  expires ${expiresAt} (in ${formatDurationMs(Date.parse(expiresAt) - Date.now())})` +
        (hint === "" ? "" : `  hint ${hint}`),
    );
    if (flags.write !== undefined) {
      for (const [i, svid] of context.svids.entries()) writeSvid(flags.write, i, svid, context);
      lines.push(`written to ${flags.write}`);
    }
    output.result(lines.join("\n"), { svids });
    return EXIT.ok;
  },
});

/** Asks again while the agent has no identity for us yet, until the time is up; then the last refusal counts. */
async function fetchContext(
  path: string,
  signal: AbortSignal,
  timeout: AbortSignal,
): Promise<X509Context> {
  await using api = openWorkloadApi({ address: `unix://${resolve(path)}` });
  let refusal: unknown;
  for (;;) {
    try {
      return await api.fetchX509Context({ signal });
    } catch (error) {
      if (timeout.aborted && refusal !== undefined) throw refusal;
      if (signal.aborted || !isBonafideError(error)) throw error;
      if (error.status !== "permission_denied" && error.status !== "unavailable") throw error;
      refusal = error;
      try {
        await sleep(RETRY_MS, undefined, { signal });
      } catch {
        throw refusal;
      }
    }
  }
}

interface DescribedSvid {
  readonly spiffeId: string;
  readonly hint: string;
  readonly expiresAt: string;
  readonly serialNumber: string;
  readonly chain: number;
  readonly authorities: number;
}

function describe(svid: X509Svid, context: X509Context): DescribedSvid {
  return {
    spiffeId: svid.id,
    hint: svid.hint,
    expiresAt: new Date(svid.notAfter).toISOString(),
    serialNumber: String(svid.chain[0].serial),
    chain: svid.chain.length,
    authorities: context.bundles.get(svid.trustDomain)?.authorities.length ?? 0,
  };
}

function writeSvid(folder: string, i: number, svid: X509Svid, context: X509Context): void {
  const chain = svid.chain.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
  const authorities = context.bundles.get(svid.trustDomain)?.authorities ?? [];
  const bundle = authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
  const key = svid.privateKey.export({ type: "pkcs8", format: "pem" });
  replaceFile(join(folder, `svid.${i}.pem`), chain, 0o644);
  replaceFile(join(folder, `svid.${i}.key`), key, 0o600);
  replaceFile(join(folder, `bundle.${i}.pem`), bundle, 0o644);
}
