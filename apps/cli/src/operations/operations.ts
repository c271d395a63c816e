import type { AnsweredCall, Clock, Log } from "@bonafide/lifetime";
import { type Answers, type Listener, listenFor, plain } from "./listeners.ts";
import type { Reading, Telemetry } from "./telemetry.ts";

/** What the configuration says of operations, of a server and an agent alike. */
export interface OperationsConfig {
  readonly trust_domain: string;
  readonly health_listen?: string | undefined;
  readonly metrics_listen?: string | undefined;
  readonly otlp_endpoint?: string | undefined;
  readonly otlp_interval: number;
}

/** What operations ask of a running server or agent. */
export interface Watched {
  readonly isServing: boolean;
  readings(): readonly Reading[];
}

/** Probes, metrics and traces of one process. */
export interface Operations extends AsyncDisposable {
  /** For those who answer calls; undefined: nobody counts them. */
  readonly onCall: ((call: AnsweredCall) => void) | undefined;
  /** A log that is counted, too. */
  counted(log: Log): Log;
  /** From now on this is what is asked about; before, nothing is ready. */
  watch(watched: Watched): void;
  /** Ports by what they serve, as they were opened. */
  readonly ports: Readonly<Record<string, number>>;
}

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Opens what the configuration asks for, and nothing else. @throws LISTEN_FAILED */
export async function openOperations(
  who: "server" | "agent",
  config: OperationsConfig,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Operations> {
  await using opened = new AsyncDisposableStack();
  let watched: Watched | undefined;
  const telemetry = await openTelemetryIfAsked(who, config, clock, () => [
    { metric: "ready", value: watched?.isServing === true ? 1 : 0 },
    ...(watched?.readings() ?? []),
  ]);
  if (telemetry !== undefined) opened.use(telemetry);
  const ports: Record<string, number> = {};
  for (const [address, { names, answers }] of listenersOf(config, telemetry, () => watched)) {
    const listener: Listener = opened.use(await listenFor(address, answers, log));
    for (const name of names) ports[name] = listener.port;
  }
  const stack = opened.move();
  return {
    onCall: telemetry?.onCall,
    counted: (write) =>
      telemetry === undefined
        ? write
        : (event) => {
            write(event);
            telemetry.onEvent(event);
          },
    watch(running) {
      watched = running;
    },
    ports,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function openTelemetryIfAsked(
  who: "server" | "agent",
  config: OperationsConfig,
  clock: Clock,
  readings: () => readonly Reading[],
): Promise<Telemetry | undefined> {
  const { metrics_listen, otlp_endpoint } = config;
  if (metrics_listen === undefined && otlp_endpoint === undefined) return undefined;
  const { openTelemetry } = await import("./telemetry.ts");
  return openTelemetry({
    who,
    trustDomain: config.trust_domain,
    otlpEndpoint: otlp_endpoint,
    intervalMs: config.otlp_interval,
    clock,
    readings,
  });
}

/** What each address answers: health and metrics may share one. */
function listenersOf(
  { health_listen, metrics_listen }: OperationsConfig,
  telemetry: Telemetry | undefined,
  watched: () => Watched | undefined,
): Map<string, { readonly names: string[]; answers: Answers }> {
  const all = new Map<string, { readonly names: string[]; answers: Answers }>();
  const add = (address: string | undefined, name: string, answers: Answers): void => {
    if (address === undefined) return;
    const known = all.get(address) ?? { names: [], answers: {} };
    known.names.push(name);
    known.answers = { ...known.answers, ...answers };
    all.set(address, known);
  };
  add(health_listen, "health", {
    // That this runs at all is the answer.
    "/live": () => plain(200, "live"),
    "/ready": () => (watched()?.isServing === true ? plain(200, "ready") : plain(503, "not ready")),
  });
  if (telemetry !== undefined) {
    add(metrics_listen, "metrics", {
      "/metrics": async () => ({
        status: 200,
        type: METRICS_TYPE,
        text: await telemetry.prometheus(),
      }),
    });
  }
  return all;
}

/** The dependency of whoever answers calls, left out if nobody counts. */
export function onCallOf({ onCall }: Operations): { onCall?: (call: AnsweredCall) => void } {
  return onCall === undefined ? {} : { onCall };
}
