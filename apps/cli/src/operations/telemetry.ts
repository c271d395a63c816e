import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import type { AnsweredCall, Clock, Log, LogEvent } from "@bonafide/lifetime";
import { type Attributes, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { VERSION } from "../version.ts";
import { type Metric, METRICS } from "./metrics-table.ts";

/** One reading of a gauge. */
export interface Reading {
  readonly metric: Metric;
  readonly value: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Options of {@link openTelemetry}. */
export interface TelemetryOptions {
  readonly who: "server" | "agent";
  readonly trustDomain: string;
  /** Where metrics and traces are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`. Default: nowhere. */
  readonly otlpEndpoint?: string | undefined;
  /** How often metrics are sent, ms. */
  readonly intervalMs: number;
  readonly clock: Clock;
  /** What the gauges show, asked each time they are read. Must not throw. */
  readonly readings: () => readonly Reading[];
}

/** Metrics and traces of one process. */
export interface Telemetry extends AsyncDisposable {
  /** Counts a call and, where traces are sent, makes a span of it. */
  readonly onCall: (call: AnsweredCall) => void;
  /** Counts a line of the log. */
  readonly onEvent: Log;
  /** All metrics in the text form of Prometheus. */
  prometheus(): Promise<string>;
}

/** Names of services and methods that are told apart: a caller can write any. */
const NAMES_MAX = 300;
const EVENTS_MAX = 500;
/** Upper bounds of the histogram's buckets, seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];

/** Loads OpenTelemetry; a process without metrics and traces never does. */
export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { who, otlpEndpoint, clock } = options;
  const resource = resourceFromAttributes({
    "service.name": `bonafide-${who}`,
    "service.version": VERSION,
    "bonafide.trust_domain": options.trustDomain,
  });
  const scraped = new PrometheusExporter({ preventServerStart: true });
  const pushed =
    otlpEndpoint === undefined
      ? []
      : [
          new PeriodicExportingMetricReader({
            exporter: new OTLPMetricExporter({ url: `${trimmed(otlpEndpoint)}/v1/metrics` }),
            exportIntervalMillis: options.intervalMs,
            exportTimeoutMillis: Math.min(options.intervalMs, 10_000),
          }),
        ];
  const meters = new MeterProvider({ resource, readers: [scraped, ...pushed] });
  const meter = meters.getMeter("bonafide", VERSION);
  const calls = meter.createHistogram(METRICS.calls.name, {
    unit: METRICS.calls.unit,
    description: METRICS.calls.help,
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  const events = meter.createCounter(METRICS.events.name, { description: METRICS.events.help });
  addGauges(meter, options);
  const traces =
    otlpEndpoint === undefined
      ? undefined
      : new TracerProvider({
          resource,
          spanProcessors: [
            new BatchSpanProcessor({
              exporter: new OTLPTraceExporter({ url: `${trimmed(otlpEndpoint)}/v1/traces` }),
            }),
          ],
        });
  const tracer = traces?.getTracer("bonafide", VERSION);
  const names = new Bounded(NAMES_MAX);
  const kinds = new Bounded(EVENTS_MAX);
  const serializer = new PrometheusSerializer("", false, undefined, true, true);
  return {
    onCall({ service, method, status, durationMs }) {
      // What is not served takes no place: whoever writes names nobody knows would push out those that are.
      const name = status === "unimplemented" ? undefined : names.of(`${service}/${method}`);
      const [known, called] = name === undefined ? ["other", "other"] : [service, method];
      const attributes: Attributes = { service: known, method: called, status };
      calls.record(durationMs / 1000, attributes);
      if (tracer === undefined) return;
      const end = clock.now();
      const span = tracer.startSpan(`${known}/${called}`, {
        kind: SpanKind.SERVER,
        startTime: end - durationMs,
        attributes: { "rpc.system": "grpc", "rpc.service": known, "rpc.method": called, status },
      });
      if (status !== "ok") span.setStatus({ code: SpanStatusCode.ERROR, message: status });
      span.end(end);
    },
    onEvent({ event, level }: LogEvent) {
      events.add(1, { event: kinds.of(event) ?? "other", level });
    },
    async prometheus() {
      const { resourceMetrics } = await scraped.collect();
      return serializer.serialize(resourceMetrics);
    },
    async [Symbol.asyncDispose]() {
      // What could not be sent at the end is lost: nobody waits for a collector that is away.
      await Promise.allSettled([meters.shutdown(), traces?.shutdown()]);
    },
  };
}

function addGauges(meter: ReturnType<MeterProvider["getMeter"]>, options: TelemetryOptions): void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const specs = Object.entries(METRICS).filter(
    ([, { kind, who }]) => kind === "gauge" && (who === "both" || who === options.who),
  );
  const gauges = new Map(
    specs.map(([word, { name, unit, help }]) => [
      word,
      meter.createObservableGauge(name, { unit, description: help }),
    ]),
  );
  meter.addBatchObservableCallback(
    (result) => {
      const own: readonly Reading[] = [
        { metric: "memory", value: process.memoryUsage.rss() },
        { metric: "delay", value: delay.max / 1e9 },
      ];
      delay.reset();
      for (const { metric, value, attributes } of [...own, ...options.readings()]) {
        const gauge = gauges.get(metric);
        if (gauge !== undefined) result.observe(gauge, value, { ...attributes });
      }
    },
    [...gauges.values()],
  );
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, "");
}

/** So many names, first come first served. */
class Bounded {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The name itself, or undefined once there are too many. */
  of(name: string): string | undefined {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.#max) return undefined;
    this.#known.add(name);
    return name;
  }
}
