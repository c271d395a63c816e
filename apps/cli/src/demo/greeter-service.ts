import { Buffer } from "node:buffer";
import {
  Greeter,
  type SayHelloRequest,
  SayHelloRequestSchema,
  type SayHelloResponse,
  SayHelloResponseSchema,
} from "@bonafide/proto/bonafide/demo/v1/greeter_pb";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

/** The greeter's one method as grpc-js wants it described. */
export const sayHello: MethodDefinition<SayHelloRequest, SayHelloResponse> = {
  path: `/${Greeter.typeName}/${Greeter.method.sayHello.name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => Buffer.from(toBinary(SayHelloRequestSchema, message)),
  requestDeserialize: (bytes) => fromBinary(SayHelloRequestSchema, bytes),
  responseSerialize: (message) => Buffer.from(toBinary(SayHelloResponseSchema, message)),
  responseDeserialize: (bytes) => fromBinary(SayHelloResponseSchema, bytes),
};
