import { Buffer } from "node:buffer";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  isMessage,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

/** A message serialised once, to be written to any number of streams of its type. */
export class Encoded<D extends DescMessage = DescMessage> {
  /** The type of the message. */
  readonly schema: D;
  /** The message's bytes; nobody may change them. */
  readonly bytes: Buffer;

  constructor(schema: D, bytes: Buffer) {
    this.schema = schema;
    this.bytes = bytes;
  }
}

/** Serialises a message for fan-out. */
export function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Encoded<D> {
  return new Encoded(schema, serialise(schema, message));
}

/** What grpc-js wants to know of a method. Paths are `/package.Service/Method`. */
export function methodDefinition(method: DescMethod): MethodDefinition<unknown, unknown> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: streamsIn(method),
    responseStream: streamsOut(method),
    requestSerialize: writer(method.input),
    requestDeserialize: reader(method.input),
    responseSerialize: writer(method.output),
    responseDeserialize: reader(method.output),
    originalName: method.localName,
  };
}

/** Whether the client sends any number of messages. */
export function streamsIn(method: DescMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}

/** Whether the server sends any number of messages. */
export function streamsOut(method: DescMethod): boolean {
  return method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
}

function serialise<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Buffer {
  const bytes = toBinary(schema, isMessage(message, schema) ? message : create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writer(schema: DescMessage): (value: unknown) => Buffer {
  return (value) => {
    if (value instanceof Encoded) {
      if (value.schema.typeName !== schema.typeName) {
        throw new TypeError(`${value.schema.typeName} where ${schema.typeName} belongs`);
      }
      return value.bytes;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- typed by Handlers and Client
    return serialise(schema, value as MessageInitShape<DescMessage>);
  };
}

function reader(schema: DescMessage): (bytes: Buffer) => unknown {
  // The copy is deliberate: without it each bytes field is a Buffer that keeps the whole frame.
  return (bytes) => fromBinary(schema, new Uint8Array(bytes), { readUnknownFields: false });
}
