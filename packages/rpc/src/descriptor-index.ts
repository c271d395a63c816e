import type { DescEnum, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";

/** The files behind a set of services, by name and by symbol. */
export interface DescriptorIndex {
  /** By the file's name with its `.proto`. */
  readonly files: ReadonlyMap<string, DescFile>;
  /** By full name: services, methods, messages, fields, oneofs, enums and their values. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** Full names of messages. */
  readonly messages: ReadonlySet<string>;
}

/** Indexes the files of the services and all that they import. */
export function indexDescriptors(services: readonly DescService[]): DescriptorIndex {
  const files = new Map<string, DescFile>();
  for (const service of services) {
    for (const file of withImports(service.file)) files.set(file.proto.name, file);
  }
  const symbols = new Map<string, DescFile>();
  const messages = new Set<string>();
  const addMessage = (message: DescMessage): void => {
    messages.add(message.typeName);
    symbols.set(message.typeName, message.file);
    for (const field of message.fields) {
      symbols.set(`${message.typeName}.${field.name}`, message.file);
    }
    for (const oneof of message.oneofs) {
      symbols.set(`${message.typeName}.${oneof.name}`, message.file);
    }
    for (const nested of message.nestedMessages) addMessage(nested);
    for (const nested of message.nestedEnums) addEnum(symbols, nested);
  };
  for (const file of files.values()) {
    for (const service of file.services) {
      symbols.set(service.typeName, file);
      for (const method of service.methods) {
        symbols.set(`${service.typeName}.${method.name}`, file);
      }
    }
    for (const message of file.messages) addMessage(message);
    for (const enumeration of file.enums) addEnum(symbols, enumeration);
  }
  return { files, symbols, messages };
}

/** A file, then all that it imports, each once. */
export function withImports(file: DescFile): DescFile[] {
  const found = new Set([file]);
  for (const each of found) for (const imported of each.dependencies) found.add(imported);
  return [...found];
}

function addEnum(symbols: Map<string, DescFile>, enumeration: DescEnum): void {
  symbols.set(enumeration.typeName, enumeration.file);
  // Values live beside their enum, not in it.
  const scope = enumeration.typeName.split(".").slice(0, -1);
  for (const value of enumeration.values) {
    symbols.set([...scope, value.name].join("."), enumeration.file);
  }
}
