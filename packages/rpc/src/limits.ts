/** Largest message in bytes, either way, unless a server or channel says otherwise. */
export const MESSAGE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Connections one server holds at a time; further ones are closed at once. */
export const CONNECTIONS_MAX = 16_384;

/** Calls running at a time on one connection. */
export const STREAMS_PER_CONNECTION_MAX = 1_024;

/** Longest error text on the wire in UTF-16 units; trailers share one small header block. */
export const STATUS_TEXT_MAX = 1_024;

/** Largest google.rpc.Status in bytes; a larger one is sent without its details. */
export const STATUS_DETAILS_BYTES_MAX = 4_096;

/** Deadline in ms of a call that answers once, unless the caller gives another. */
export const CALL_TIMEOUT_MS = 10_000;

/** Services one health registry knows. */
export const HEALTH_SERVICES_MAX = 100;

/** Requests on one reflection stream. */
export const REFLECTION_REQUESTS_MAX = 1_000;
