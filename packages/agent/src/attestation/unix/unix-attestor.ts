import type { WorkloadAttestor } from "@bonafide/plugin-api";
import { noUidOwners, type UidOwners } from "../../core/subordinate-uids.ts";
import { type OwnNamespaces, readOwnNamespaces } from "../namespaces.ts";
import { accountFiles, type AccountNames } from "./account-names.ts";
import { cgroupFacts } from "./cgroup-facts.ts";
import { findCgroup2Mount } from "./cgroup2-mount.ts";
import { executableFacts } from "./executable-facts.ts";
import { together } from "./facts.ts";
import { createFileDigests, type FileDigests } from "./file-digests.ts";
import { idFacts } from "./id-facts.ts";

/** Options of {@link createUnixAttestor}; every one has a default that fits the running machine. */
export interface UnixAttestorOptions {
  /** `unix:path` and `unix:sha256`, default true. */
  readonly path?: boolean;
  /** Whether any entry asks for `unix:sha256`; no file is hashed otherwise. Default: always. */
  readonly wantsSha256?: () => boolean;
  /** Default: the local account files. */
  readonly names?: AccountNames;
  /** Default: a worker of its own, ended with the attestor. */
  readonly digests?: FileDigests;
  /** Which user waits for the digest of a uid's program; default: each uid its own. */
  readonly uidOwners?: UidOwners;
  /** Default: those of this process. */
  readonly namespaces?: OwnNamespaces;
  /** Where the cgroup v2 tree is mounted; default: found in this process's mountinfo. Empty: nowhere. */
  readonly cgroupMount?: string;
}

/** An attestor that owns a worker. */
export type UnixAttestor = WorkloadAttestor & AsyncDisposable;

/**
 * The `unix` attestor: ids, names, executable and cgroup of a caller.
 *
 * @spec SPIRE's `unix` selectors, and `unix:cgroup` (docs/attestation.md)
 */
export function createUnixAttestor(options: UnixAttestorOptions = {}): UnixAttestor {
  const { path = true, wantsSha256 = () => true, names = accountFiles() } = options;
  const { namespaces = readOwnNamespaces() } = options;
  const mount = options.cgroupMount ?? findCgroup2Mount();
  const { uidOwners: owners = noUidOwners } = options;
  const digests = options.digests ?? createFileDigests({ owners });
  return {
    name: "unix",
    async attest(caller, { signal }) {
      return together(
        await Promise.all([
          idFacts(caller, names, signal),
          executableFacts(caller, namespaces, digests, { path, wantsSha256 }, signal),
          cgroupFacts(caller, mount === "" ? undefined : mount),
        ]),
      );
    },
    async [Symbol.asyncDispose]() {
      if (options.digests === undefined) await digests.close();
    },
  };
}
