const START =
  "start one with bonafide up, bonafide server run or bonafide agent run; if one runs, call this where up was called, or give --socket";

const TAKE_BUNDLE =
  "on the server: bonafide bundle show > bundle.pem; here: --trust-bundle bundle.pem";

/** What mends a failure, by its code, where the failure does not say so itself. */
const NEXT: Readonly<Record<string, string>> = {
  ENTRY_NOT_FOUND: "bonafide entry list",
  AGENT_NOT_FOUND: "bonafide agent list",
  PROCESS_NOT_FOUND: "give the number of a process that runs now",
  LAUNCH_AGENT_UNREACHABLE: START,
  RPC_UNAVAILABLE: START,
  STORE_LOCKED: "stop the other server, or give --data-dir another folder",
  AGENT_STATE_LOCKED: "stop the other agent, or give --data-dir another folder",
  SOCKET_IN_USE:
    "stop what listens there, or give the socket another path: --admin-socket or --workload-socket, of oidc run --socket",
  BOOTSTRAP_MISSING: TAKE_BUNDLE,
  BOOTSTRAP_BUNDLE_INVALID: TAKE_BUNDLE,
  SOCKET_PATH_TOO_LONG:
    "give the socket a shorter path: --admin-socket or --workload-socket, of oidc run --socket",
  NO_IDENTITY_ISSUED: "bonafide whoami shows what the agent sees of this process",
  LEDGER_HELD: "bonafide server healthcheck shows why, and the two ways out",
};

/** The next command after a failure; undefined if none is known. */
export function nextStep(
  code: string,
  details: Readonly<Record<string, string>>,
): string | undefined {
  const { entry } = details;
  if (code === "ENTRY_EXISTS" && entry !== undefined) return `bonafide entry show ${entry}`;
  return NEXT[code];
}
