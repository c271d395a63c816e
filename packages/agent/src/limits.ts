/** Bytes of one request at the workload socket: none of its methods needs more than a few hundred. */
export const WORKLOAD_REQUEST_BYTES_MAX = 65_536;

/**
 * Pieces (HTTP/2 data frames) that the requests of one call may come in at the workload socket. A request is one or two;
 * reflection asks for a service or a file in each.
 */
export const WORKLOAD_REQUEST_FRAMES_MAX = 256;

/** Calls running at a time on one connection of the workload socket. */
export const WORKLOAD_STREAMS_PER_CONNECTION_MAX = 100;

/** Calls of any service that one uid may have open at the workload socket; root has none. */
export const STREAMS_PER_UID_MAX = 1024;

/** Streams of all callers together. */
export const STREAMS_MAX = 16_384;

/** Attestations of one uid a second, on average; root has none. */
export const ATTESTATIONS_PER_UID_A_SECOND = 200;

/** Attestations of one uid in a burst. */
export const ATTESTATIONS_PER_UID_BURST = 1000;

/** Attestations of all users but root a second, on average. */
export const ATTESTATIONS_A_SECOND = 2000;

/** Attestations of all users but root in a burst. */
export const ATTESTATIONS_BURST = 10_000;

/** Keys held because callers of one uid ask for them; root has none. Four callers of as many identities as fit. */
export const KEYS_PER_UID_MAX = 2000;

/** The same of all users together: 20 MB at about 1 KB each. */
export const KEYS_HELD_MAX = 20_000;

/** Keys made and tokens signed for one uid a second, on average: a tenth of a millisecond each, and a signature of the server. */
export const KEYS_PER_UID_A_SECOND = 50;

/** The same in a burst: all the keys that it may hold, after the agent started. */
export const KEYS_PER_UID_BURST = 2000;

/** Bytes of /etc/passwd and /etc/subuid that are read. */
export const UID_FILE_BYTES_MAX = 4_194_304;

/** Identities in one answer: beyond these the message would come near to the usual 4 MiB. */
export const IDENTITIES_PER_CALLER_MAX = 500;

/** SVIDs held although nobody asks for them; a soft limit, entries with subscribers do not count. */
export const PREFETCH_MAX = 1000;

/** Over so long, ms, agents spread the replacement of SVIDs whose authority was tainted. */
export const TAINT_SPREAD_MS = 5000;

/** SVIDs signed in one call: about 100 KiB of requests. */
export const SIGN_BATCH_MAX = 256;

/** Keys made in one turn of the event loop, about 3 ms. */
export const KEYS_PER_TURN = 32;

/** Decisions that are remembered. */
export const DECISIONS_MAX = 2000;

/** Entries that a server may send to one agent. */
export const ENTRIES_MAX = 200_000;

/** Selectors of one entry that are taken from a server. */
export const SELECTORS_PER_ENTRY_MAX = 256;

/** Authorities of one bundle: more than a server publishes, of its own, of those above and below it, and of others. */
export const AUTHORITIES_PER_BUNDLE_MAX = 2048;

/** Bytes of a message from the server. */
export const SERVER_MESSAGE_BYTES_MAX = 16_777_216;

/** Deadline of a call to the server, ms. */
export const SERVER_CALL_MS = 30_000;

/** Deadline of the sockets' opening handshake with the server, ms. */
export const CONNECT_MS = 10_000;

/** Silence on a push stream after which the connection is probed, ms. */
export const KEEPALIVE_MS = 20_000;

/** How long a new caller waits for its first SVID before it is told to come again, ms. */
export const FIRST_SVID_WAIT_MS = 5000;

/** Looks at a caller before a push, while a fact that its identity rests on is not to be had. */
export const LOOKS_BEFORE_PUSH_MAX = 3;

/** Pause between two such looks, ms. */
export const LOOK_AGAIN_MS = 1000;

/** Shortest time between two recomputations of what callers get, ms: a burst of changes becomes one message. */
export const COALESCE_MS = 20;

/** Largest file read from the data folder, bytes. */
export const STATE_FILE_BYTES_MAX = 268_435_456;

/** JWT-SVIDs kept: a hard limit; the user with the most loses the one unused for longest. */
export const JWT_SVIDS_MAX = 1000;

/** JWT-SVIDs signed at a time for one call. */
export const JWT_SIGNINGS_AT_ONCE = 16;

/** JWT-SVIDs being signed at a time; each may wait as long as a call to the server does. */
export const JWT_SIGNINGS_MAX = 512;

/** The same for one uid; root has none. */
export const JWT_SIGNINGS_PER_UID_MAX = 128;

/** Longest JWT-SVID that is kept, characters: all of them take a few MB. */
export const JWT_SVID_KEPT_MAX = 8192;
