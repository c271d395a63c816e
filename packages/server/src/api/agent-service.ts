import { randomUUID } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import type { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import type { SPIFFEID } from "@bonafide/proto/spire/api/types/spiffeid_pb";
import type { Handlers } from "@bonafide/rpc";
import type { SpiffeId } from "@bonafide/spiffe";
import { checkId } from "../core/check-entry.ts";
import { nextPageToken, pageRequest } from "../core/page.ts";
import { proposeBan, proposeEviction } from "../core/propose-node.ts";
import { proposeToken } from "../core/propose-token.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf, agentDenied } from "./access.ts";
import { allPages } from "./all-pages.ts";
import { attestAgent, isTokenText, tokenDigest } from "./attest.ts";
import { keyOfCsr } from "./read-csr.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { signAgent } from "./sign-agent.ts";
import { mapSliced } from "./time-slices.ts";
import { toWireAgent, nodeFilter } from "./wire-agent.ts";
import { toWireSvid } from "./wire-svid.ts";

/** spire.api.server.agent.v1.Agent: nodes, how they come in, and how they are put out. */
export function agentHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
): Partial<Handlers<typeof Agent, ServerPeer>> {
  const { access, clock, freshness, lane, log, nodeRate, registry, signRate, soft, store } = deps;
  const { trustDomain } = options;
  const agentId = (id: SPIFFEID | undefined): SpiffeId => checkId(id, trustDomain, "agent", "id");

  return {
    attestAgent: (requests, { peer }) => attestAgent(deps, options, requests, peer),

    renewAgent({ params }, { peer }) {
      const agent = access.agent(peer);
      if (params === undefined) throw invalid("the params are missing");
      signRate.take(agent.peer.id);
      const spki = keyOfCsr(params.csr);
      if (agent.node.canReattest) throw agentDenied("AGENT_MUST_REATTEST");
      freshness.assertFresh();
      const svid = signAgent(deps, options, agent.peer.id, spki);
      soft.saw(agent.peer);
      soft.issued(svid);
      return { svid: toWireSvid(svid) };
    },

    postStatus({ agentVersion }, { peer }) {
      const agent = access.agent(peer);
      nodeRate.take(agent.peer.id);
      if (agentVersion.length > LIMITS.agentVersionChars) {
        throw invalid("agent_version is longer than 255 characters");
      }
      soft.saw(agent.peer, agentVersion === "" ? undefined : agentVersion);
      return {};
    },

    async createJoinToken({ ttl, token, agentId: alias }, { peer }) {
      const writer = access.administrator(peer, "write-token");
      if (ttl < 1) throw invalid("ttl is less than a second");
      if (ttl > LIMITS.joinTokenTtlSeconds) throw invalid("ttl is longer than 30 days");
      const value = token === "" ? randomUUID() : token;
      if (!isTokenText(value)) {
        throw invalid("a join token is 1 to 255 characters of A-Z a-z 0-9 . _ -");
      }
      if (value.length < LIMITS.joinTokenCharsMin) {
        throw new BonafideError(
          SERVER_ERRORS,
          "JOIN_TOKEN_TOO_SHORT",
          `a join token has at least ${LIMITS.joinTokenCharsMin} characters`,
        );
      }
      const nowMs = clock.now();
      const expiresAtMs = Math.floor(nowMs / 1000 + ttl) * 1000;
      const decide = proposeToken(
        {
          tokenSha256: tokenDigest(value),
          expiresAtMs,
          alias: alias === undefined ? "" : checkId(alias, trustDomain, "workload", "agent_id"),
          aliasEntryId: randomUUID(),
          trustDomain,
          nowMs,
        },
        writer,
      );
      await lane.submit(decide, { actor: actorOf(peer), cause: "CreateJoinToken" });
      log({ level: "info", event: "join_token.created" });
      return { value, expiresAt: BigInt(expiresAtMs / 1000) };
    },

    async countAgents({ filter }) {
      return { count: await store.nodes.count(nodeFilter(filter)) };
    },

    async listAgents({ filter, outputMask, pageSize, pageToken }) {
      const page = pageRequest(pageSize, pageToken, "agents");
      const wanted = nodeFilter(filter);
      const rows = await allPages(page, (part) => store.nodes.list(wanted, part));
      return {
        agents: await mapSliced(rows, ({ object, soft: stored }) =>
          toWireAgent(object, soft.of(object.spiffeId) ?? stored, outputMask),
        ),
        nextPageToken: nextPageToken(page, rows.at(-1)?.firstN),
      };
    },

    getAgent({ id, outputMask }) {
      const spiffeId = agentId(id);
      const node = registry.find("node", spiffeId)?.object;
      if (node === undefined || node.state === "evicted") {
        throw new BonafideError(SERVER_ERRORS, "AGENT_NOT_FOUND", "no such agent");
      }
      return toWireAgent(node, soft.of(spiffeId), outputMask);
    },

    async deleteAgent({ id }, { peer }) {
      const spiffeId = agentId(id);
      const meta = { actor: actorOf(peer), cause: "DeleteAgent" };
      await lane.submit(proposeEviction(spiffeId), meta);
      soft.forget(spiffeId);
      log({ level: "info", event: "agent.evicted" });
      return {};
    },

    async banAgent({ id }, { peer }) {
      const meta = { actor: actorOf(peer), cause: "BanAgent" };
      await lane.submit(proposeBan(agentId(id)), meta);
      log({ level: "info", event: "agent.banned" });
      return {};
    },
  };
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
