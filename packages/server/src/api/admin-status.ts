import { wireNumber } from "@bonafide/ledger";
import type { Status } from "@bonafide/proto/bonafide/admin/v1/status_pb";
import type { Handlers } from "@bonafide/rpc";
import { type Lasting, lastingOfEnds, lastingOfLives } from "../core/lasting.ts";
import { entryTtlMs } from "../core/svid-validity.ts";
import type { OpenedLedger } from "../memory/opened-ledger.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";

/** Authorities that verify what they signed. */
const PUBLISHED = new Set(["prepared", "active", "old", "tainted"]);

/** bonafide.admin.v1.Status: how the control plane stands, and for how long without a server. */
export function adminStatusHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
  ledger: OpenedLedger,
): Handlers<typeof Status, ServerPeer> {
  const { clock, freshness, registry } = deps;
  const startedAtMs = BigInt(Math.round(clock.now()));
  return {
    getStatus() {
      const now = clock.now();
      const { standing } = ledger;
      const { epoch, n, root } = registry.head;
      const nodes = nodeFacts(deps, now);
      return {
        trustDomain: options.trustDomain,
        nowMs: BigInt(Math.round(now)),
        startedAtMs,
        head: { epoch, n: BigInt(n), root },
        wireNumber: BigInt(wireNumber(registry.head)),
        ...(standing.kind === "held"
          ? { heldReason: standing.reason, heldMessage: standing.message }
          : {}),
        storeConfirmedForMs: BigInt(Math.round(Math.max(0, freshness.remainingMs()))),
        servers: Array.from(registry.all("server"), ({ object: { id, slot, version } }) => ({
          id,
          slot,
          version,
          self: id === options.serverId,
        })),
        authorities: authorities(deps),
        entries: registry.count("entry"),
        nodesLive: nodes.live,
        nodesBanned: nodes.banned,
        nodesExpired: nodes.expired,
        x509Svids: wire(svids(deps, options, "x509", now)),
        jwtSvids: wire(svids(deps, options, "jwt", now)),
        nodes: wire(lastingOfEnds(nodes.ends, now)),
        bundle: wire(
          lastingOfEnds(
            authorities(deps)
              .filter(({ use, state }) => use === "x509" && PUBLISHED.has(state))
              .map(({ notAfterMs }) => Number(notAfterMs)),
            now,
          ),
        ),
        recoveryWindowMs: BigInt(options.recoveryWindowMs),
      };
    },
  };
}

function authorities({ registry }: ServiceDeps) {
  return Array.from(registry.all("authority"), ({ object }) => ({
    id: object.id,
    use: object.use,
    server: object.server,
    state: object.state,
    preparedAtMs: BigInt(Math.round(object.preparedAtMs)),
    activatedAtMs: BigInt(Math.round(object.activatedAtMs)),
    notAfterMs: BigInt(Math.round(object.notAfterMs)),
  }));
}

function svids(
  { registry }: ServiceDeps,
  { x509SvidTtlMs, jwtSvidTtlMs }: ServiceOptions,
  use: "x509" | "jwt",
  now: number,
): Lasting {
  const lives = Array.from(registry.all("entry"), ({ object }) =>
    use === "x509"
      ? entryTtlMs(object.x509SvidTtlSeconds, x509SvidTtlMs)
      : entryTtlMs(object.jwtSvidTtlSeconds, jwtSvidTtlMs),
  );
  const active = Array.from(registry.all("authority"), ({ object }) => object).filter(
    (authority) => authority.use === use && authority.state === "active",
  );
  return lastingOfLives(lives, Math.max(0, ...active.map(({ notAfterMs }) => notAfterMs - now)));
}

function nodeFacts(
  { registry, soft }: ServiceDeps,
  now: number,
): {
  readonly live: number;
  readonly banned: number;
  readonly expired: number;
  readonly ends: readonly number[];
} {
  const nodes = Array.from(registry.all("node"), ({ object }) => object);
  const live = nodes.filter(({ state }) => state === "live");
  const ends = live.map(({ spiffeId }) => soft.of(spiffeId)?.expiresAtMs ?? 0);
  return {
    live: live.length,
    banned: nodes.filter(({ state }) => state === "banned").length,
    expired: ends.filter((end) => end > 0 && end <= now).length,
    ends,
  };
}

function wire({ firstMs, lastMs }: Lasting): { firstMs: bigint; lastMs: bigint } {
  return { firstMs: BigInt(Math.round(firstMs)), lastMs: BigInt(Math.round(lastMs)) };
}
