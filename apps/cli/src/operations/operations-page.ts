import { METRICS } from "./metrics-table.ts";

const HEAD = `# Operations

The table of metrics is written by \`npm run docs\` from the code, and checked for drift.

## Probes

\`health_listen: 127.0.0.1:8080\` in a server's or an agent's file answers over plain HTTP, GET and HEAD:

| path | 200 | 503 |
| --- | --- | --- |
| \`/live\` | the process answers | never: a process that hangs does not answer |
| \`/ready\` | it serves: a server signs and answers agents, an agent has a valid SVID and knows its entries | it does not (yet) |

A server on hold may be ready: it serves what it remembers. \`bonafide server healthcheck\` says more. Neither listener asks who calls and neither tells a secret; bind them to an address that only your machines reach.

## Metrics

\`metrics_listen: 127.0.0.1:9090\` answers \`/metrics\` for Prometheus; it may be the address of \`health_listen\`. \`otlp_endpoint: http://127.0.0.1:4318\` sends the same metrics by OpenTelemetry's protocol over HTTP, every \`otlp_interval\`, under the resource \`service.name\` \`bonafide-server\` or \`bonafide-agent\`, \`service.version\` and \`bonafide.trust_domain\`. Without these keys the libraries are not loaded and nothing is counted.

No metric names a SPIFFE ID, an entry, a node or a caller.

| OpenTelemetry | Prometheus | kind | of | attributes | meaning |
| --- | --- | --- | --- | --- | --- |
`;

const TAIL = `
What to be called for: \`bonafide_ready\` 0 for minutes; \`bonafide_server_store_confirmed_for_seconds\` falling; \`bonafide_server_authority_ends_seconds\` less than an SVID's life ahead; \`bonafide_events_total\` of level \`error\` rising.

## Traces

With \`otlp_endpoint\` each answered call is sent as one span of kind server, named \`SERVICE/METHOD\`, with \`rpc.system\`, \`rpc.service\`, \`rpc.method\` and \`status\`. A collector that is away costs the spans and metrics of that time, and nothing else.

## Another authority now

Authorities rotate by themselves. When a key may be in other hands: \`bonafide localauthority x509 prepare\`, \`activate\` with the ID that it prints (up to 10 s, so that everybody knows it first), \`taint\` with the old ID, wait, \`revoke\` with the old ID. \`localauthority x509 show\` tells the IDs. Connected agents replace their own SVID and those of their workloads within seconds of \`taint\`; a node that had no time for that before \`revoke\`, or was switched off, has to join anew. The same with \`jwt\`: there the tokens that were handed out count until \`revoke\` or their end.

## SIGHUP

A server or an agent that was started with \`--config\` reads its file again. A new \`log_level\` counts at once; of other keys that changed it says \`config.needs_restart\` with their names. A file that cannot be read, or is wrong, leaves the last good one in force, and the log says \`config.not_reloaded\` with the reason.

## Logs

One JSON object a line on standard error: \`time\`, \`level\`, \`msg\` (what happened, dotted and stable) and its fields. \`log_level\` in the file says which lines are written.
`;

/** The page `docs/operations.md`. */
export function renderOperationsPage(): string {
  const rows = Object.values(METRICS).map(
    ({ name, prometheus, kind, who, attributes, help }) =>
      `| \`${name}\` | \`${prometheus}\` | ${kind} | ${who} | ${attributes.join(", ")} | ${help} |`,
  );
  return `${HEAD}${rows.join("\n")}\n${TAIL}`;
}
