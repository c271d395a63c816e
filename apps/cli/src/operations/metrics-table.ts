/** What a metric is. */
export interface MetricSpec {
  /** As OpenTelemetry has it; Prometheus writes underscores for dots. */
  readonly name: string;
  /** As Prometheus has it. */
  readonly prometheus: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** Of UCUM; empty: a number of things. */
  readonly unit: string;
  readonly who: "both" | "server" | "agent";
  readonly attributes: readonly string[];
  readonly help: string;
}

/** A word of {@link METRICS}. */
export type Metric =
  | "calls"
  | "events"
  | "ready"
  | "memory"
  | "delay"
  | "entries"
  | "nodes"
  | "leaves"
  | "confirmed"
  | "authority"
  | "svids"
  | "streams"
  | "svidEnds"
  | "synced";

/** Every metric by a short word; the page docs/operations.md is written from it. */
export const METRICS: Readonly<Record<Metric, MetricSpec>> = {
  calls: {
    name: "bonafide.rpc.duration_seconds",
    prometheus: "bonafide_rpc_duration_seconds",
    kind: "histogram",
    unit: "s",
    who: "both",
    attributes: ["service", "method", "status"],
    help: "calls that were answered, from their headers to their end; streams count when they end",
  },
  events: {
    name: "bonafide.events",
    prometheus: "bonafide_events_total",
    kind: "counter",
    unit: "",
    who: "both",
    attributes: ["event", "level"],
    help: "lines of the log by what happened, those below log_level included",
  },
  ready: {
    name: "bonafide.ready",
    prometheus: "bonafide_ready",
    kind: "gauge",
    unit: "",
    who: "both",
    attributes: [],
    help: "1 while it serves, else 0",
  },
  memory: {
    name: "bonafide.process.memory_bytes",
    prometheus: "bonafide_process_memory_bytes",
    kind: "gauge",
    unit: "By",
    who: "both",
    attributes: [],
    help: "resident memory",
  },
  delay: {
    name: "bonafide.process.event_loop_delay_seconds",
    prometheus: "bonafide_process_event_loop_delay_seconds",
    kind: "gauge",
    unit: "s",
    who: "both",
    attributes: [],
    help: "longest delay of the main loop since it was last asked",
  },
  entries: {
    name: "bonafide.entries",
    prometheus: "bonafide_entries",
    kind: "gauge",
    unit: "",
    who: "both",
    attributes: [],
    help: "registration entries: of a server all, of an agent those of its node",
  },
  nodes: {
    name: "bonafide.server.nodes",
    prometheus: "bonafide_server_nodes",
    kind: "gauge",
    unit: "",
    who: "server",
    attributes: ["state"],
    help: "nodes that are live, and that are banned",
  },
  leaves: {
    name: "bonafide.server.ledger_leaves",
    prometheus: "bonafide_server_ledger_leaves",
    kind: "gauge",
    unit: "",
    who: "server",
    attributes: [],
    help: "number of the newest leaf",
  },
  confirmed: {
    name: "bonafide.server.store_confirmed_for_seconds",
    prometheus: "bonafide_server_store_confirmed_for_seconds",
    kind: "gauge",
    unit: "s",
    who: "server",
    attributes: [],
    help: "how long the server would still serve if its store stayed away",
  },
  authority: {
    name: "bonafide.server.authority_ends_seconds",
    prometheus: "bonafide_server_authority_ends_seconds",
    kind: "gauge",
    unit: "s",
    who: "server",
    attributes: ["use"],
    help: "when the authority that signs now ends, Unix seconds; 0: none signs",
  },
  svids: {
    name: "bonafide.agent.x509_svids",
    prometheus: "bonafide_agent_x509_svids",
    kind: "gauge",
    unit: "",
    who: "agent",
    attributes: [],
    help: "X509-SVIDs that are kept",
  },
  streams: {
    name: "bonafide.agent.streams",
    prometheus: "bonafide_agent_streams",
    kind: "gauge",
    unit: "",
    who: "agent",
    attributes: [],
    help: "streams of workloads that are open",
  },
  svidEnds: {
    name: "bonafide.agent.svid_ends_seconds",
    prometheus: "bonafide_agent_svid_ends_seconds",
    kind: "gauge",
    unit: "s",
    who: "agent",
    attributes: [],
    help: "when the agent's own SVID ends, Unix seconds; 0: it has none",
  },
  synced: {
    name: "bonafide.agent.last_sync_seconds",
    prometheus: "bonafide_agent_last_sync_seconds",
    kind: "gauge",
    unit: "s",
    who: "agent",
    attributes: [],
    help: "when the agent last heard of its server, Unix seconds; 0: not in this run",
  },
};
