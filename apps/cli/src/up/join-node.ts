import { writeFileSync } from "node:fs";
import { withRecoveryKey } from "@bonafide/agent";
import { formatPem } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { fetchRecoveryKey } from "../clients/fetch-recovery-key.ts";
import type { SocketClient } from "../clients/socket-client.ts";

const TOKEN_TTL_SECONDS = 60;

/** Writes the server's bundle for the agent's first start. @returns a join token for it */
export async function prepareJoin(
  server: SocketClient,
  node: { readonly trustDomain: string; readonly path: string; readonly bundleFile: string },
): Promise<string> {
  const bundle = await server.client(Bundle).getBundle({});
  const pem = bundle.x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1));
  const key = await fetchRecoveryKey(server);
  const text = key === undefined ? pem.join("") : withRecoveryKey(pem.join(""), key);
  writeFileSync(node.bundleFile, text, { mode: 0o600 });
  const { value } = await server.client(Agent).createJoinToken({
    ttl: TOKEN_TTL_SECONDS,
    agentId: { trustDomain: node.trustDomain, path: node.path },
  });
  return value;
}
