import {
  type AuthzRequest,
  buildRequest,
  type Folder,
  type OnBehalfOf,
  principalFrom,
  readAction,
  readCaller,
  readResource,
} from "@bonafide/authz";
import type { FlagValues } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";

/** What a request says besides who, what and which. */
export const REQUEST_FLAGS = {
  "on-behalf-of": { kind: "string", help: "the user it is made for", placeholder: "USER" },
  via: {
    kind: "string",
    help: "a workload that passed it on, first to last",
    placeholder: "ID",
    repeated: true,
  },
  scope: { kind: "string", help: "a scope of the user's token", repeated: true },
  "approved-ago": { kind: "duration", help: "how long ago a person approved it" },
  device: { kind: "string", help: "the device it comes from", placeholder: "NAME" },
  "source-ip": { kind: "string", help: "the caller's address", placeholder: "ADDRESS" },
  "no-tls": { kind: "boolean", help: "it comes without TLS" },
  at: { kind: "string", help: "when, as in 2026-11-22T10:00:00Z", standard: "now" },
} as const;

/** A request as the command line describes it. */
export interface DescribedRequest {
  readonly request: AuthzRequest;
  readonly isDeclared: boolean;
}

/**
 * Makes the request that `WHO ACTION WHAT` and the flags describe.
 *
 * @throws USAGE, AUTHZ_REQUEST_INVALID
 */
export function describeRequest(
  [who = "", what = "", which = ""]: readonly string[],
  flags: FlagValues<typeof REQUEST_FLAGS>,
  { folder: { model }, now }: { readonly folder: Folder; readonly now: number },
): DescribedRequest {
  const action = readAction(what);
  const caller = readCaller(who, model);
  const { resource, isDeclared } = readResource(which, action, model);
  const sourceIp = flags["source-ip"];
  const subject = onBehalfOf(flags);
  const request = buildRequest(principalFrom(caller), action, resource, {
    now: flags.at === undefined ? now : instant(flags.at),
    tls: !flags["no-tls"],
    ...(sourceIp === undefined ? {} : { sourceIp }),
    ...(flags.device === undefined ? {} : { device: flags.device }),
    ...(subject === undefined ? {} : { onBehalfOf: subject }),
  });
  return { request, isDeclared };
}

function onBehalfOf(flags: FlagValues<typeof REQUEST_FLAGS>): OnBehalfOf | undefined {
  const { "on-behalf-of": user, via, scope, "approved-ago": approvedAgoMs } = flags;
  const isPlain = user === undefined && approvedAgoMs === undefined;
  if (isPlain && via.length === 0 && scope.length === 0) return undefined;
  return {
    chain: via,
    scopes: scope,
    ...(user === undefined ? {} : { user }),
    ...(approvedAgoMs === undefined ? {} : { approvedAgoMs }),
  };
}

function instant(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw usage(`--at needs a time such as 2026-11-22T10:00:00Z, not ${text}`);
  return ms;
}
