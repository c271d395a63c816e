import { Buffer } from "node:buffer";
import type { MethodDefinition } from "@grpc/grpc-js";

const text = {
  to: (value: string) => Buffer.from(value),
  from: (bytes: Buffer) => bytes.toString(),
};

/** A gRPC method on plain text: enough to see who is greeted. */
export const greet: MethodDefinition<string, string> = {
  path: "/attacks.Greeter/Greet",
  requestStream: false,
  responseStream: false,
  requestSerialize: text.to,
  requestDeserialize: text.from,
  responseSerialize: text.to,
  responseDeserialize: text.from,
};
