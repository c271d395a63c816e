import { BonafideError } from "@bonafide/errors";
import { Latest } from "@bonafide/lifetime";
import {
  Health,
  HealthCheckResponse_ServingStatus as Wire,
} from "@bonafide/proto/grpc/health/v1/health_pb";
import { addService } from "./add-service.ts";
import { HEALTH_SERVICES_MAX } from "./limits.ts";
import { RPC_SERVER_ERRORS, type RpcServer } from "./rpc-server.ts";

/** Whether a service serves. */
export type ServingStatus = "unknown" | "serving" | "not_serving";

const WIRE = {
  unknown: Wire.UNKNOWN,
  serving: Wire.SERVING,
  not_serving: Wire.NOT_SERVING,
} as const;

/** The health of a server and its services; set by their owner, shown by {@link addHealth}. */
export class HealthRegistry {
  readonly #statuses = new Latest<ReadonlyMap<string, ServingStatus>>(new Map([["", "unknown"]]));

  /** Every known service and its status; the empty name is the whole server. */
  get statuses(): ReadonlyMap<string, ServingStatus> {
    return this.#statuses.value;
  }

  /**
   * Sets the status of a service, and tells who watches it.
   *
   * @param service  Full name; empty for the whole server. At most {@link HEALTH_SERVICES_MAX} names.
   */
  set(service: string, status: ServingStatus): void {
    const statuses = new Map(this.statuses).set(service, status);
    if (statuses.size > HEALTH_SERVICES_MAX) throw new RangeError("too many services");
    this.#statuses.set(statuses);
  }

  /** The status of one service now and after each change; undefined while it is not known. */
  async *watch(
    service: string,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ServingStatus | undefined, void, void> {
    let sent: ServingStatus | undefined | null = null;
    for await (const statuses of this.#statuses.updates(options)) {
      const status = statuses.get(service);
      if (status === sent) continue;
      sent = status;
      yield status;
    }
  }

  /** Ends all watches. */
  close(): void {
    this.#statuses.close();
  }
}

/** Adds grpc.health.v1.Health to a server. */
export function addHealth<Peer>(server: RpcServer<Peer>, health: HealthRegistry): void {
  addService(server, Health, {
    check({ service }) {
      const status = health.statuses.get(service);
      if (status === undefined) {
        throw new BonafideError(RPC_SERVER_ERRORS, "HEALTH_SERVICE_UNKNOWN", "unknown service");
      }
      return { status: WIRE[status] };
    },
    list() {
      const entries = [...health.statuses].map(([name, status]) => [name, WIRE[status]] as const);
      return {
        statuses: Object.fromEntries(entries.map(([name, status]) => [name, { status }])),
      };
    },
    async *watch({ service }, { signal }) {
      for await (const status of health.watch(service, { signal })) {
        yield { status: status === undefined ? Wire.SERVICE_UNKNOWN : WIRE[status] };
      }
    },
  });
}
