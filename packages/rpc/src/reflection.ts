import { BonafideError } from "@bonafide/errors";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import {
  ServerReflection as ServerReflectionAlpha,
  ServerReflectionRequestSchema as RequestAlphaSchema,
  ServerReflectionResponseSchema as ResponseAlphaSchema,
} from "@bonafide/proto/grpc/reflection/v1alpha/reflection_pb";
import { type DescFile, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { addService } from "./add-service.ts";
import { encode, Encoded } from "./codec.ts";
import { type DescriptorIndex, indexDescriptors, withImports } from "./descriptor-index.ts";
import { REFLECTION_REQUESTS_MAX } from "./limits.ts";
import { RPC_SERVER_ERRORS, type RpcServer } from "./rpc-server.ts";
import { STATUS_CODES } from "./status.ts";

type Answer = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]
>;

/**
 * Adds reflection to a server, in its version v1 and in v1alpha for older clients. It shows every service that the
 * server has when it is asked, whenever that was added.
 */
export function addReflection<Peer>(server: RpcServer<Peer>): void {
  const answers = async function* (
    requests: AsyncIterable<ServerReflectionRequest>,
  ): AsyncGenerator<Encoded<typeof ServerReflectionResponseSchema>, void, void> {
    const index = indexDescriptors(server.services);
    const sent = new Set<DescFile>();
    let count = 0;
    for await (const request of requests) {
      if (++count > REFLECTION_REQUESTS_MAX) {
        throw new BonafideError(RPC_SERVER_ERRORS, "REFLECTION_TOO_MUCH", "open a new stream");
      }
      yield encode(ServerReflectionResponseSchema, {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(server, index, sent, request),
      });
    }
  };
  addService(server, ServerReflection, { serverReflectionInfo: answers });
  addService(server, ServerReflectionAlpha, {
    // Both versions have the same bytes; only the names of the types differ.
    async *serverReflectionInfo(requests) {
      for await (const { bytes } of answers(upgrade(requests))) {
        yield new Encoded(ResponseAlphaSchema, bytes);
      }
    },
  });
}

async function* upgrade(
  requests: AsyncIterable<Parameters<typeof toAlphaBytes>[0]>,
): AsyncGenerator<ServerReflectionRequest, void, void> {
  for await (const request of requests) {
    yield fromBinary(ServerReflectionRequestSchema, toAlphaBytes(request));
  }
}

function toAlphaBytes(
  request: Parameters<typeof toBinary<typeof RequestAlphaSchema>>[1],
): Uint8Array {
  return toBinary(RequestAlphaSchema, request);
}

function answer<Peer>(
  server: RpcServer<Peer>,
  index: DescriptorIndex,
  sent: Set<DescFile>,
  { messageRequest }: ServerReflectionRequest,
): Answer {
  switch (messageRequest.case) {
    case "listServices": {
      const names = server.services.map(({ typeName }) => typeName).toSorted();
      const service = names.map((name) => ({ name }));
      return { case: "listServicesResponse", value: { service } };
    }
    case "fileByFilename":
      return files(index.files.get(messageRequest.value), sent);
    case "fileContainingSymbol":
      return files(index.symbols.get(messageRequest.value), sent);
    case "fileContainingExtension":
      return failed(STATUS_CODES.not_found, "there are no extensions");
    case "allExtensionNumbersOfType": {
      const baseTypeName = messageRequest.value;
      if (!index.messages.has(baseTypeName)) return failed(STATUS_CODES.not_found, "unknown type");
      return { case: "allExtensionNumbersResponse", value: { baseTypeName, extensionNumber: [] } };
    }
    case undefined:
      return failed(STATUS_CODES.invalid_argument, "nothing was asked");
    default:
      return messageRequest satisfies never;
  }
}

/** The file itself, always, and those of its imports that this stream has not seen. */
function files(file: DescFile | undefined, sent: Set<DescFile>): Answer {
  if (file === undefined) return failed(STATUS_CODES.not_found, "not found");
  const wanted = withImports(file).filter((each) => each === file || !sent.has(each));
  for (const each of wanted) sent.add(each);
  return {
    case: "fileDescriptorResponse",
    value: {
      fileDescriptorProto: wanted.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)),
    },
  };
}

function failed(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
