/**
 * The Duplex that a call came by, if the connection is no plain socket.
 *
 * Node wraps a Duplex for HTTP/2 in a socket of its own, which hides what was set on it, so call.getPeer() cannot name
 * it. This reads the fields in between, which are private to grpc-js (pinned) and to Node; a test holds that they are
 * there, and a call whose Duplex is not found is refused.
 */
export function injectedDuplex(call: object): object | undefined {
  try {
    return ["stream", "session", "socket", "stream"].reduce<object | undefined>(field, call);
  } catch {
    // The session is gone: Node throws on its socket then.
    return undefined;
  }
}

function field(holder: object | undefined, name: string): object | undefined {
  const value: unknown = holder === undefined ? undefined : Reflect.get(holder, name);
  return typeof value === "object" && value !== null ? value : undefined;
}
