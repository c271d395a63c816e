import {
  type Client,
  makeGenericClientConstructor,
  type Metadata,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";

/** What travels: one text each way. */
export interface Message {
  readonly text: string;
}

/** The service by hand, in JSON; yours comes out of a .proto file. */
export const greeterService: ServiceDefinition = {
  sayHello: {
    path: "/hello.Greeter/SayHello",
    requestStream: false,
    responseStream: false,
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  },
};

/** The client that grpc-js makes of it. */
export interface GreeterClient extends Client {
  sayHello(
    request: Message,
    metadata: Metadata,
    options: { readonly deadline: number },
    done: (error: ServiceError | null, answer?: Message) => void,
  ): unknown;
}

const Greeter = makeGenericClientConstructor(greeterService, "Greeter");

/** Opens a client. */
export function openGreeter(
  address: string,
  credentials: ConstructorParameters<typeof Client>[1],
): GreeterClient {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- grpc-js adds the methods at run time
  return new Greeter(address, credentials) as unknown as GreeterClient;
}

function write(message: Message): Buffer {
  return Buffer.from(JSON.stringify(message));
}

function read(bytes: Buffer): Message {
  const value: unknown = JSON.parse(bytes.toString());
  const text = typeof value === "object" && value !== null ? Reflect.get(value, "text") : undefined;
  return { text: String(text) };
}
