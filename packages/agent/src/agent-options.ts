import type { AnsweredCall, Clock, Log, LogLevelSwitch, Random } from "@bonafide/lifetime";
import type { NodeProver, WorkloadAttestor } from "@bonafide/plugin-api";
import type { TrustDomain } from "@bonafide/spiffe";
import type { Kernel } from "@bonafide/unix-peer";
import type { Bootstrap } from "./node/bootstrap.ts";
import type { ServerAddress } from "./server/server-link.ts";
import type { UidFiles } from "./workload/read-uid-owners.ts";
import type { UidLimitsOptions } from "./workload/uid-limits.ts";

/** Options of {@link openAgent}. */
export interface AgentOptions {
  readonly trustDomain: TrustDomain;
  readonly server: ServerAddress;
  /** Folder of the agent's own state; made with 0700 if it is missing, refused if it is a link or open to others. */
  readonly dataDir: string;
  /** Absolute path of the Workload API's socket, at most 107 bytes; its folder is made with 0755. */
  readonly workloadSocket: string;
  /** Absolute path of the admin socket, at most 107 bytes; its folder is made with 0700. */
  readonly adminSocket: string;
  /** Whom to trust at the first start; later the kept bundle counts. Default: none. */
  readonly bootstrap?: Bootstrap;
  /** For the first start, or after the node was evicted. */
  readonly joinToken?: string;
  /**
   * Raw Ed25519 key of the trust domain's recovery, 32 bytes; default: the one that came with the bootstrap bundle, or
   * else the one that the first verified server told.
   */
  readonly recoveryKey?: Uint8Array;
  /** Pause between polls of a server that does not push, ms, default 5000. */
  readonly pollIntervalMs?: number;
  /** SVIDs kept ready although nobody asks for them, default 1000. */
  readonly prefetchMax?: number;
  /** Observe `unix:path` and `unix:sha256`, default true. */
  readonly discoverPath?: boolean;
  /** Serve nobody whose process cannot be pinned, default true for root. */
  readonly requirePinnedPeer?: boolean;
  /**
   * Claims of tokens of other trust domains that ValidateJWTSVID tells, beside `sub`, `aud` and `exp`. Default: none.
   * What they mean is that domain's to say (SID-22).
   */
  readonly foreignJwtClaims?: readonly string[];
  /** Limits on each user of the node. */
  readonly uidLimits?: UidLimitsOptions;
  /** Where it is read, at the start, which user a subordinate uid belongs to. */
  readonly uidFiles?: UidFiles;
  /** Told to the server. */
  readonly version: string;
}

/** What an agent works with; all of it stays the caller's. */
export interface AgentDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of that log; default: it has none, and the Logger service answers UNIMPLEMENTED. */
  readonly logLevels?: LogLevelSwitch;
  /** Told of every call that was answered on its sockets. Must not throw and must not wait. */
  readonly onCall?: (call: AnsweredCall) => void;
  readonly kernel: Kernel;
  /** Beside the built-in ones (`unix`, `ns`, `launcher`). Default: none. */
  readonly attestors?: readonly WorkloadAttestor[];
  /** By what the node proves itself, as often as it is asked. Default: it comes in by join tokens. */
  readonly prover?: NodeProver;
}
