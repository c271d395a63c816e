// @bonafide/unix-peer

export type DroppedConnection = {
    readonly kind: "connections-exceeded";
} | {
    readonly kind: "connections-of-uid-exceeded";
    readonly uid: number;
} | {
    readonly kind: "descriptor-lost";
};

export declare class HeldProcess implements Disposable {
    #private;
    readonly pid: number;
    readonly pidfdInode: bigint | undefined;
    private constructor();
    static adopt(kernel: Kernel, pidfd: number, pid: number): HeldProcess;
    static open(kernel: Kernel, pid: number): HeldProcess;
    hold(): HeldProcess;
    alive(): boolean;
    assertAlive(): void;
    openDirectory(): ProcessDirectory;
    facts(): PidfdFacts | undefined;
    close(): void;
    [Symbol.dispose](): void;
}

export interface Kernel {
    peerCredentials(socketFd: number): PeerCredentials;
    peerGroups(socketFd: number): readonly number[];
    peerPidfd(socketFd: number): number | "unsupported" | "gone";
    peerSecurityLabel(socketFd: number): string | undefined;
    pidfdOpen(pid: number): number | "unsupported" | "gone";
    pidfdFacts(pidfd: number): PidfdFacts | "unsupported" | "gone" | "outside";
    hasExited(pidfd: number): boolean;
    peerSocketInode(socketFd: number): bigint | undefined;
    makeNonDumpable(): void;
}

export interface ListenUnixOptions extends UnixPeerOptions {
    readonly kernel: Kernel;
    readonly path: string;
    readonly mode: number;
    readonly folderMode: number;
    readonly label?: string;
    readonly backlog?: number;
    readonly connectionsMax?: number;
    readonly connectionsPerUidMax?: number;
    readonly ownerOf?: (uid: number) => number;
    readonly onConnection: (connection: UnixConnection) => void;
    readonly onDropped?: (dropped: DroppedConnection) => void;
}

export type OptionalCall = "SO_PEERPIDFD" | "PIDFD_GET_INFO" | "UNIX_DIAG";

export interface OverflowIds {
    readonly uids: ReadonlySet<number>;
    readonly gids: ReadonlySet<number>;
    readonly allMapped: boolean;
}

export type PeerCause = "caller.gone" | "caller.outside_pid_namespace" | "caller.id_unmapped" | "caller.ids_changed" | "caller.ids_unreadable" | "caller.not_pinned";

export interface PeerCredentials {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
}

export type PeerPin = "pidfd" | "proven" | "unpinned";

export interface PidfdFacts {
    readonly pid: number;
    readonly tgid: number;
    readonly parentPid: number;
    readonly uid: number;
    readonly gid: number;
    readonly cgroupId: bigint | undefined;
}

export declare class ProcessDirectory implements Disposable {
    #private;
    private constructor();
    static open(pid: number): ProcessDirectory;
    path(name: string): string;
    text(name: string): string;
    link(name: string): Buffer;
    [Symbol.dispose](): void;
}

export interface ProcessStat {
    readonly state: string;
    readonly parentPid: number;
    readonly sessionId: number;
    readonly startTicks: bigint;
    readonly isEnding: boolean;
}

export declare const UNIX_PEER_ERRORS: {
    readonly KERNEL_UNSUPPORTED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly KERNEL_CALL_FAILED: {
        readonly status: "internal";
        readonly retry: false;
    };
    readonly PEER_GONE: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly PEER_OUTSIDE_PID_NAMESPACE: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly PEER_ID_UNMAPPED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly PEER_IDS_CHANGED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly PEER_NOT_PINNED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly CONNECTION_CLOSED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly SOCKET_PATH_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly SOCKET_PATH_TOO_LONG: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly SOCKET_PATH_OCCUPIED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly SOCKET_FOLDER_UNSAFE: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly SOCKET_IN_USE: {
        readonly status: "already_exists";
        readonly retry: true;
    };
};

export interface UnixConnection {
    readonly id: string;
    readonly socket: Socket;
    readonly label: string;
    readonly caller: () => UnixPeer;
}

export interface UnixListener extends AsyncDisposable {
    readonly path: string;
    readonly label: string;
    connectionCount(): number;
    caller(connectionId: string): UnixPeer;
    close(): Promise<void>;
}

export declare class UnixPeer implements Disposable {
    #private;
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
    readonly securityLabel: string | undefined;
    readonly pin: PeerPin;
    private constructor();
    static open(kernel: Kernel, socketFd: number, options?: UnixPeerOptions): UnixPeer;
    static ofProcess(kernel: Kernel, pid: number): UnixPeer;
    get pidfdInode(): bigint | undefined;
    alive(): boolean;
    assertAlive(): void;
    hold(): HeldProcess;
    openDirectory(): ProcessDirectory;
    facts(): PidfdFacts | undefined;
    assertSameIds(directory: ProcessDirectory | undefined): void;
    close(): void;
    [Symbol.dispose](): void;
}

export interface UnixPeerOptions {
    readonly requirePinnedPeer?: boolean;
}

export declare function checkSocketPath(path: string): void;

export declare function listenUnix(options: ListenUnixOptions): Promise<UnixListener>;

export declare function openKernel(): Promise<Kernel>;

export declare function overflowIds(): OverflowIds;

export declare function parseEffectiveIds(text: string): {
    uid: number;
    gid: number;
} | undefined;

export declare function parseProcessStat(text: string): ProcessStat | undefined;

// @bonafide/unix-peer/testing

export declare function withoutCalls(kernel: Kernel, missing: readonly OptionalCall[]): Kernel;
