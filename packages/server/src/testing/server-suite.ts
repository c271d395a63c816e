import type { Store } from "@bonafide/plugin-api";
import { agentSuite } from "./suite/agent-suite.ts";
import { entryListSuite } from "./suite/entry-list-suite.ts";
import { entrySuite } from "./suite/entry-suite.ts";
import { federatedBundleSuite } from "./suite/federated-bundle-suite.ts";
import { ledgerSuite } from "./suite/ledger-suite.ts";
import { svidSuite } from "./suite/svid-suite.ts";

/**
 * What a server answers, call by call and status by status, over real sockets. Runs on every store.
 *
 * @param name  Of the store, for the tests' names.
 * @param open  A fresh store; the suite closes it.
 */
export function serverSuite(name: string, open: () => Promise<Store>): void {
  agentSuite(name, open);
  entrySuite(name, open);
  entryListSuite(name, open);
  svidSuite(name, open);
  federatedBundleSuite(name, open);
  ledgerSuite(name, open);
}
