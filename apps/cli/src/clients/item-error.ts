import type { StatusName } from "@bonafide/errors";
import type { Status } from "@bonafide/proto/spire/api/types/status_pb";
import { RpcError, STATUS_CODES } from "@bonafide/rpc";

/** What one item of a batch failed with, as a failed call would be told; undefined if it did not. */
export function itemError(status: Status | undefined): RpcError | undefined {
  if (status?.code === 0) return undefined;
  const { code = STATUS_CODES.unknown, message = "the server gave no answer" } = status ?? {};
  const [name] = Object.entries(STATUS_CODES).find(([, number]) => number === code) ?? [];
  return new RpcError(isStatusName(name) ? name : "unknown", message);
}

function isStatusName(name: string | undefined): name is StatusName {
  return name !== undefined && name in STATUS_CODES;
}
