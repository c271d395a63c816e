import { Self } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { addService, type RpcServer } from "@bonafide/rpc";
import type { UnixConnection } from "@bonafide/unix-peer";
import { describeWorth } from "../core/worth.ts";
import type { IdentityGroups } from "../identity/identity-groups.ts";
import type { SvidKeeper } from "../svid/svid-keeper.ts";
import {
  formatDecision,
  formatIdentities,
  formatObserved,
  formatOmitted,
  formatProcess,
} from "../wire/format-diagnosis.ts";
import type { CallerGate } from "./caller-gate.ts";

/** What the Self service is served from. */
export interface SelfApiDeps {
  readonly gate: CallerGate;
  readonly groups: IdentityGroups;
  readonly keeper: SvidKeeper;
}

/** Adds `Whoami`: a caller's own facts and identities, and nothing of anybody else (ADR-0073). */
export function addSelfApi(server: RpcServer<UnixConnection>, deps: SelfApiDeps): void {
  addService(server, Self, {
    async whoami(_request, context) {
      const { gate, groups, keeper } = deps;
      const method = `${context.service}/${context.method}`;
      const seen = await gate.look(context.peer, method, { signal: context.signal });
      const { selectors, omitted, uid } = seen.observation;
      const entries = groups.entriesOf(selectors);
      const decision = gate.served(
        seen,
        entries.map(({ spiffeId }) => spiffeId),
      );
      const process = formatProcess(seen.observation);
      return {
        ...(process === undefined ? {} : { process }),
        observed: formatObserved(selectors),
        omitted: formatOmitted(omitted),
        identities: formatIdentities(entries, selectors, (entry) => keeper.svid(entry)?.notAfter),
        decision: formatDecision(decision),
        worth: describeWorth(entries, selectors, uid),
      };
    },
  });
}
