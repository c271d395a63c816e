import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Status, StatusSchema } from "@bonafide/proto/spire/api/types/status_pb";
import { STATUS_CODES } from "@bonafide/rpc";
import { create } from "@bufbuild/protobuf";

/** The status of an item of a batch that went well; clients read it without asking whether it is there. */
export function itemOk(): Status {
  return create(StatusSchema, { code: 0, message: "OK" });
}

/** The status of an item that failed. What is not a coded error says nothing of its cause. */
export function itemFailed(error: unknown): Status {
  if (!isBonafideError(error)) {
    return create(StatusSchema, { code: STATUS_CODES.internal, message: "internal error" });
  }
  const { status, message } = error;
  return create(StatusSchema, { code: STATUS_CODES[status], message });
}

/** Whether a failed item is worth a line in the log: it is nobody's mistake but ours. */
export function isOurFault(error: unknown): boolean {
  return !isBonafideError(error) || (error instanceof BonafideError && error.status === "internal");
}
