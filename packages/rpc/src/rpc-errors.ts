import { BonafideError, type ErrorSpec, type ErrorTable, type StatusName } from "@bonafide/errors";
import {
  type ErrorInfo,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@bonafide/proto/google/rpc/error_details_pb";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { STATUS_CODES } from "./status.ts";

/** Codes of a failed call, one for each gRPC status. What the server meant is in `errorInfo`. */
export const RPC_ERRORS = {
  /** The call was cancelled, by this side without a signal or by the other. */
  RPC_CANCELLED: { status: "cancelled", retry: false },
  /** The server gave no status that gRPC knows, or its own handler failed without one. */
  RPC_UNKNOWN: { status: "unknown", retry: false },
  /** The request is wrong in itself. */
  RPC_INVALID_ARGUMENT: { status: "invalid_argument", retry: false },
  /** No answer within the deadline. */
  RPC_DEADLINE_EXCEEDED: { status: "deadline_exceeded", retry: true },
  /** What was named is not there. */
  RPC_NOT_FOUND: { status: "not_found", retry: false },
  /** What was to be made is there already. */
  RPC_ALREADY_EXISTS: { status: "already_exists", retry: false },
  /** The server knows the caller and refuses. */
  RPC_PERMISSION_DENIED: { status: "permission_denied", retry: false },
  /** Too much at a time, or a message over the limit. */
  RPC_RESOURCE_EXHAUSTED: { status: "resource_exhausted", retry: true },
  /** The state does not allow it, or the channel was closed. */
  RPC_FAILED_PRECONDITION: { status: "failed_precondition", retry: false },
  /** Somebody else changed it at the same time. */
  RPC_ABORTED: { status: "aborted", retry: true },
  /** Beyond the end. */
  RPC_OUT_OF_RANGE: { status: "out_of_range", retry: false },
  /** The server does not have the method. */
  RPC_UNIMPLEMENTED: { status: "unimplemented", retry: false },
  /** A bug of the server, or a message that does not decode. */
  RPC_INTERNAL: { status: "internal", retry: false },
  /** Nobody there, or not ready to serve. */
  RPC_UNAVAILABLE: { status: "unavailable", retry: true },
  /** Data is lost or corrupt. */
  RPC_DATA_LOSS: { status: "data_loss", retry: false },
  /** The server does not know who calls. */
  RPC_UNAUTHENTICATED: { status: "unauthenticated", retry: false },
} as const;
RPC_ERRORS satisfies ErrorTable;

/** A code of {@link RPC_ERRORS}. */
export type RpcErrorCode = keyof typeof RPC_ERRORS;

const CODE_OF: Readonly<Record<StatusName, RpcErrorCode>> = {
  cancelled: "RPC_CANCELLED",
  unknown: "RPC_UNKNOWN",
  invalid_argument: "RPC_INVALID_ARGUMENT",
  deadline_exceeded: "RPC_DEADLINE_EXCEEDED",
  not_found: "RPC_NOT_FOUND",
  already_exists: "RPC_ALREADY_EXISTS",
  permission_denied: "RPC_PERMISSION_DENIED",
  resource_exhausted: "RPC_RESOURCE_EXHAUSTED",
  failed_precondition: "RPC_FAILED_PRECONDITION",
  aborted: "RPC_ABORTED",
  out_of_range: "RPC_OUT_OF_RANGE",
  unimplemented: "RPC_UNIMPLEMENTED",
  internal: "RPC_INTERNAL",
  unavailable: "RPC_UNAVAILABLE",
  data_loss: "RPC_DATA_LOSS",
  unauthenticated: "RPC_UNAUTHENTICATED",
};

/** The domain of our own reasons in google.rpc.ErrorInfo. */
export const ERROR_DOMAIN = "bonafide";

/** Key of ErrorInfo.metadata that says whether the same call may succeed later. */
export const RETRY_KEY = "retry";

/**
 * What a call answered when it failed: made by the client side only.
 *
 * `retry` is what the server said, if it is one of ours, else what its status usually means. A handler that lets one
 * escape answers INTERNAL with the fixed text: what another server said is not for this one's callers.
 */
export class RpcError extends BonafideError<RpcErrorCode> {
  /** The gRPC code, 1 to 16. */
  readonly grpcCode: number;
  /** The details of google.rpc.Status, as they came. */
  readonly statusDetails: readonly Any[];
  /** The reason, if the server gave one; `reason` is an error code when `domain` is "bonafide". */
  readonly errorInfo: ErrorInfo | undefined;

  constructor(
    status: StatusName,
    message: string,
    statusDetails: readonly Any[] = [],
    cause?: unknown,
  ) {
    const code = CODE_OF[status];
    const errorInfo = first(statusDetails, ErrorInfoSchema);
    const delay = first(statusDetails, RetryInfoSchema)?.retryDelay;
    const told = errorInfo?.domain === ERROR_DOMAIN ? errorInfo.metadata[RETRY_KEY] : undefined;
    const spec: ErrorSpec = {
      status,
      retry: told === undefined ? delay !== undefined || RPC_ERRORS[code].retry : told === "true",
    };
    super({ ...RPC_ERRORS, [code]: spec }, code, message, {
      cause,
      details: errorInfo?.metadata ?? {},
      ...(delay === undefined
        ? {}
        : { retryAfterMs: Number(delay.seconds) * 1000 + Math.ceil(delay.nanos / 1e6) }),
    });
    this.grpcCode = STATUS_CODES[status];
    this.statusDetails = statusDetails;
    this.errorInfo = errorInfo;
  }

  /** The server's own error code, if the server is one of ours. */
  get reason(): string | undefined {
    return this.errorInfo?.domain === ERROR_DOMAIN ? this.errorInfo.reason : undefined;
  }

  /** The first detail of a message type, or undefined if there is none or it does not decode. */
  detail<D extends DescMessage>(schema: D): MessageShape<D> | undefined {
    return first(this.statusDetails, schema);
  }
}

function first<D extends DescMessage>(
  details: readonly Any[],
  schema: D,
): MessageShape<D> | undefined {
  for (const any of details) {
    try {
      const message = anyUnpack(any, schema);
      if (message !== undefined) return message;
    } catch {
      // A detail that does not decode is as good as none: the status itself still counts.
    }
  }
  return undefined;
}
