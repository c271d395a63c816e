import { Buffer } from "node:buffer";
import { type BonafideError, isBonafideError, type StatusName } from "@bonafide/errors";
import { ErrorInfoSchema, RetryInfoSchema } from "@bonafide/proto/google/rpc/error_details_pb";
import { StatusSchema } from "@bonafide/proto/google/rpc/status_pb";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import { STATUS_DETAILS_BYTES_MAX, STATUS_TEXT_MAX } from "./limits.ts";
import { ERROR_DOMAIN, RETRY_KEY, RPC_ERRORS, RpcError } from "./rpc-errors.ts";
import { STATUS_CODES, statusName } from "./status.ts";

const DETAILS_KEY = "grpc-status-details-bin";

/** What a wire asks of one error's status beyond the common mapping. */
export interface StatusExtra {
  /** Another gRPC status than the error's own. */
  readonly status?: StatusName;
  /** Details in front of the common ones; make them with {@link detail}. */
  readonly details?: readonly Any[];
}

const extras = new WeakMap<BonafideError, StatusExtra>();

/**
 * Adds to what an error says on the wire, such as spire.api.types.PermissionDeniedDetails.
 *
 * @returns The error itself, to be thrown.
 */
export function withStatus<E extends BonafideError>(error: E, extra: StatusExtra): E {
  extras.set(error, extra);
  return error;
}

/** Packs a message as a detail of a status. */
export function detail<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Any {
  return anyPack(schema, create(schema, message));
}

/**
 * The one place where an error becomes a gRPC status.
 *
 * A BonafideError gives its status and text, and google.rpc.ErrorInfo{reason: code, domain: "bonafide"}, with
 * google.rpc.RetryInfo if somebody knows when to try again. Anything else, and an {@link RpcError} that came from another
 * server, is INTERNAL with a fixed text: whatever it says was not written for the caller.
 *
 * @param retryAfterMs  When to try again what may be tried again, if the error does not say. Default: not said.
 */
export function renderStatus(error: unknown, retryAfterMs?: number): StatusObject {
  const metadata = new Metadata();
  if (!isBonafideError(error) || Object.hasOwn(RPC_ERRORS, error.code)) {
    return { code: STATUS_CODES.internal, details: "internal error", metadata };
  }
  const extra = extras.get(error);
  const code = STATUS_CODES[extra?.status ?? error.status];
  const message = clip(error.message);
  const details = [...(extra?.details ?? []), ...commonDetails(error, retryAfterMs)];
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
  if (bytes.byteLength <= STATUS_DETAILS_BYTES_MAX) metadata.set(DETAILS_KEY, Buffer.from(bytes));
  return { code, details: message, metadata };
}

/** What grpc-js's client reported, as an {@link RpcError}. */
export function readStatus(error: ServiceError): RpcError {
  const raw = error.metadata.get(DETAILS_KEY)[0];
  let details: readonly Any[] = [];
  if (raw instanceof Buffer) {
    try {
      details = fromBinary(StatusSchema, new Uint8Array(raw)).details;
    } catch {
      // Details that do not decode are dropped; code and text came apart from them.
    }
  }
  return new RpcError(statusName(error.code), error.details, details, error);
}

function commonDetails(error: BonafideError, usualMs: number | undefined): Any[] {
  const info = detail(ErrorInfoSchema, {
    reason: error.code,
    domain: ERROR_DOMAIN,
    metadata: { ...error.details, [RETRY_KEY]: String(error.retry) },
  });
  const delayMs = error.retryAfterMs ?? (error.retry ? usualMs : undefined);
  if (delayMs === undefined) return [info];
  const seconds = Math.floor(delayMs / 1000);
  const nanos = Math.round((delayMs - seconds * 1000) * 1e6);
  return [info, detail(RetryInfoSchema, { retryDelay: { seconds: BigInt(seconds), nanos } })];
}

/** grpc-js percent-encodes the text with encodeURI, which throws on half a surrogate pair. */
function clip(text: string): string {
  return (
    text.length > STATUS_TEXT_MAX ? `${text.slice(0, STATUS_TEXT_MAX)}...` : text
  ).toWellFormed();
}
