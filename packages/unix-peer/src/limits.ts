/** Longest path of a unix socket in bytes: `sun_path` holds 108 with its closing zero. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** Connections the kernel may hold before they are accepted; bounded again by net.core.somaxconn. */
export const BACKLOG = 4096;

/** Open connections of one listener. */
export const CONNECTIONS_MAX = 8192;

/** Open connections of one user on one listener; root is bounded by {@link CONNECTIONS_MAX} only. */
export const CONNECTIONS_PER_UID_MAX = 1024;

/** Supplementary groups read of one caller; the kernel's own bound. */
export const GROUPS_MAX = 65_536;

/** Bytes read of one small procfs file. */
export const PROC_FILE_BYTES_MAX = 65_536;

/** Descriptors of a caller looked at to prove that it holds its end of the connection. */
export const PROOF_DESCRIPTORS_MAX = 4096;

/** Links followed on the way to a socket; the kernel's own bound. */
export const PATH_LINKS_MAX = 40;
