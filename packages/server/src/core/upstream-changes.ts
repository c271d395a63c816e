import { BonafideError } from "@bonafide/errors";
import { type AuthorityObject, equalBytes } from "@bonafide/ledger";
import { SERVER_ERRORS, type ServerErrorCode } from "../errors.ts";
import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
import { LIMITS } from "../limits.ts";
import { authorityName, revocation, tainting } from "./authority-changes.ts";

/** The `server` of authorities that an upstream authority told of. */
export const UPSTREAM = "upstream";

/** An authority that others hold the key of, as it is to be published here. */
export interface ForeignKey {
  readonly use: AuthorityObject["use"];
  readonly id: string;
  /** DER of the root; undefined for JWT. */
  readonly certificate: Uint8Array | undefined;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  /** 0: never. */
  readonly notAfterMs: number;
  readonly tainted: boolean;
}

/** What an upstream published, read. */
export interface UpstreamPicture {
  readonly keys: readonly ForeignKey[];
  /** Whether what is missing was withdrawn. */
  readonly isWhole: boolean;
}

/** Options of {@link mirroring}. */
export interface MirroringOptions {
  readonly now: number;
  /** When the picture was asked for: what was published here since is not missing from it. */
  readonly askedAt: number;
  /** Id of this server. */
  readonly serverId: string;
  /** JWT keys of this server that the upstream is known to have published. */
  readonly announced: ReadonlySet<string>;
}

/**
 * Publishes what the upstream publishes. Tainted wins over what came before, and revoked over all: nobody becomes
 * trusted again because an answer came late.
 */
export function mirroring(
  { keys, isWhole }: UpstreamPicture,
  { now, askedAt, serverId, announced }: MirroringOptions,
): Decide {
  return (view) => {
    const changes: Change[] = [];
    const named = new Set<string>();
    for (const key of keys) {
      named.add(authorityName(key.use, key.id));
      const known = view.find("authority", authorityName(key.use, key.id))?.object;
      if (known === undefined) changes.push({ put: published(key, UPSTREAM, now) });
      else changes.push(...followed(known, key));
    }
    if (!isWhole) return changes;
    for (const { object } of view.all("authority")) {
      const wasTold =
        object.server === UPSTREAM ||
        (object.use === "jwt" && object.server === serverId && announced.has(object.id));
      const isPublished = object.state !== "revoked" && object.state !== "expired";
      // The upstream may have signed, or been told of a key, after it gave this answer.
      const isNewer =
        object.server === UPSTREAM && object.preparedAtMs > askedAt && object.preparedAtMs <= now;
      if (isNewer) continue;
      if (wasTold && isPublished && !named.has(authorityName(object.use, object.id))) {
        changes.push({ put: { ...object, state: "revoked" } });
      }
    }
    return changes;
  };
}

/** What changes of an authority that is known. */
function followed(known: AuthorityObject, key: ForeignKey): readonly Change[] {
  if (!equalBytes(known.publicKey, key.publicKey)) return [];
  if (known.state === "revoked") {
    // Renewed above: what is revoked here is remembered for as long as it could come back.
    const { notAfterMs } = key;
    return endOf(key) > endOf(known) ? [{ put: { ...known, notAfterMs } }] : [];
  }
  const state = known.state === "old" && key.tainted ? "tainted" : known.state;
  const isRenewed =
    known.server === UPSTREAM &&
    key.certificate !== undefined &&
    !equalBytes(known.certificateChain[0] ?? new Uint8Array(), key.certificate);
  if (isRenewed) {
    const { activatedAtMs, preparedAtMs } = known;
    const renewed = published(key, UPSTREAM, preparedAtMs);
    const isTainted = key.tainted || known.state === "tainted";
    return [{ put: { ...renewed, activatedAtMs, state: isTainted ? "tainted" : "old" } }];
  }
  return state === known.state ? [] : [{ put: { ...known, state } }];
}

function endOf({ notAfterMs }: Pick<ForeignKey, "notAfterMs">): number {
  return notAfterMs || Infinity;
}

/**
 * Publishes a JWT key of a server below this one.
 *
 * @param publisher  SPIFFE ID of that server.
 * @throws REQUEST_INVALID        the id belongs to another key
 * @throws AUTHORITY_STATE_WRONG  the key was revoked
 * @throws AUTHORITIES_FULL       it publishes without end
 */
export function publication(key: ForeignKey, publisher: string, now: number): Decide {
  return (view) => {
    const known = view.find("authority", authorityName(key.use, key.id))?.object;
    if (known !== undefined) {
      if (!equalBytes(known.publicKey, key.publicKey)) {
        throw refused("REQUEST_INVALID", "this key id belongs to another key");
      }
      if (known.state === "revoked" || known.state === "expired") {
        throw refused("AUTHORITY_STATE_WRONG", `the key is ${known.state}`);
      }
      return [];
    }
    let count = 0;
    let all = 0;
    for (const { object } of view.all("authority")) {
      if (object.use !== key.use) continue;
      // Revoked ones too: a key does not come back by another name.
      if (equalBytes(object.publicKey, key.publicKey)) {
        throw refused("REQUEST_INVALID", "this key has another id here");
      }
      if (object.state === "revoked") continue;
      all++;
      if (object.server === publisher) count++;
    }
    if (count >= LIMITS.downstreamKeys) {
      throw refused("AUTHORITIES_FULL", `this server has ${count} keys published already`);
    }
    if (all >= LIMITS.publishedKeys) {
      throw refused("AUTHORITIES_FULL", `${all} keys are published already: revoke some first`);
    }
    return [{ put: published(key, publisher, now) }];
  };
}

/**
 * Marks a root above this server as one to move away from.
 *
 * @throws AUTHORITY_NOT_FOUND    it is none of the upstream's
 * @throws AUTHORITY_STATE_WRONG  what signs now leads to it
 */
export function taintingUpstream(serverId: string, id: string): Decide {
  return (view) => {
    assertUpstream(view, id);
    for (const { object } of view.all("authority")) {
      const isActive = object.server === serverId && object.state === "active";
      const isBelow = isActive && rootIs(view, object, id);
      if (isBelow) {
        throw refused("AUTHORITY_STATE_WRONG", "the authority that signs now leads to this root");
      }
    }
    return tainting("x509", id)(view);
  };
}

/** Takes a tainted root above this server out. @throws AUTHORITY_NOT_FOUND, AUTHORITY_NOT_TAINTED */
export function revokingUpstream(id: string): Decide {
  return (view) => {
    assertUpstream(view, id);
    return revocation("x509", id)(view);
  };
}

/** Whether an authority leads to the root of this id. */
function rootIs(view: RegistryView, { certificateChain }: AuthorityObject, id: string): boolean {
  const root = view.find("authority", authorityName("x509", id))?.object.certificateChain[0];
  const own = certificateChain.length > 1 ? certificateChain.at(-1) : undefined;
  return root !== undefined && own !== undefined && equalBytes(root, own);
}

function assertUpstream(view: RegistryView, id: string): void {
  const known = view.find("authority", authorityName("x509", id))?.object;
  if (known?.server === UPSTREAM) return;
  throw refused("AUTHORITY_NOT_FOUND", "no root of the upstream has this id");
}

/** An authority that others hold the key of, as the ledger keeps it. @param server  Who told of it. */
export function published(key: ForeignKey, server: string, now: number): AuthorityObject {
  const { use, id, certificate, publicKey, notBeforeMs, notAfterMs, tainted } = key;
  return {
    kind: "authority",
    use,
    id,
    server,
    certificateChain: certificate === undefined ? [] : [certificate],
    publicKey,
    notBeforeMs,
    notAfterMs,
    state: tainted ? "tainted" : "old",
    preparedAtMs: now,
    activatedAtMs: now,
    keyId: "",
  };
}

function refused(code: ServerErrorCode, message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, code, message);
}
