import { BonafideError } from "@bonafide/errors";
import { type AuthorityObject, equalBytes } from "@bonafide/ledger";
import { SERVER_ERRORS, type ServerErrorCode } from "../errors.ts";
import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
import { LIMITS } from "../limits.ts";
import { authorityName } from "./authority-changes.ts";
import { type ForeignKey, published } from "./upstream-changes.ts";

/** The `server` of authorities that an administrator appended to the bundle. */
export const APPENDED = "appended";

/**
 * Appends authorities whose keys others hold to our own bundle: all of them or none. What is there stays; tainted wins
 * over what is not, and revoked over all.
 *
 * @throws REQUEST_INVALID        an id belongs to another key
 * @throws AUTHORITY_STATE_WRONG  one was revoked or has expired, or one that signs or soon may would become tainted
 * @throws AUTHORITIES_FULL       what the bundle carries is bounded
 */
export function appending(keys: readonly ForeignKey[], now: number): Decide {
  return (view) => {
    const changes = new Map<string, Change>();
    let added = 0;
    for (const key of keys) {
      const name = authorityName(key.use, key.id);
      const change = changeOf(view, key, now);
      if (change === undefined || (changes.has(name) && !key.tainted)) continue;
      if (view.find("authority", name) === undefined && !changes.has(name)) added++;
      changes.set(name, change);
    }
    assertRoom(view, added);
    return [...changes.values()];
  };
}

function changeOf(view: RegistryView, key: ForeignKey, now: number): Change | undefined {
  const known = view.find("authority", authorityName(key.use, key.id))?.object;
  if (known === undefined) return { put: published(key, APPENDED, now) };
  if (!equalBytes(known.publicKey, key.publicKey)) {
    throw refused("REQUEST_INVALID", `authority id ${key.id} belongs to another key`);
  }
  const { state } = known;
  if (state === "revoked" || state === "expired") {
    throw refused("AUTHORITY_STATE_WRONG", `authority ${key.id} is ${state}`);
  }
  if (isRenewed(known, key)) {
    if (known.server !== APPENDED) {
      throw refused("REQUEST_INVALID", `authority ${key.id} has another certificate here`);
    }
    const tainted = key.tainted || state === "tainted";
    return { put: published({ ...key, tainted }, APPENDED, known.preparedAtMs) };
  }
  if (!key.tainted || state === "tainted") return undefined;
  if (state === "old") return { put: { ...known, state: "tainted" } };
  throw refused("AUTHORITY_STATE_WRONG", `authority ${key.id} is ${state}: it is not tainted here`);
}

/** The same key in another certificate: of those that were appended the last one counts. */
function isRenewed({ certificateChain }: AuthorityObject, { certificate }: ForeignKey): boolean {
  const [held] = certificateChain;
  return certificate !== undefined && held !== undefined && !equalBytes(held, certificate);
}

function assertRoom(view: RegistryView, added: number): void {
  let count = added;
  for (const { object } of view.all("authority")) {
    if (object.server === APPENDED && object.state !== "revoked") count++;
  }
  if (added === 0 || count <= LIMITS.appendedAuthorities) return;
  const message = `at most ${LIMITS.appendedAuthorities} authorities are appended: revoke some first`;
  throw refused("AUTHORITIES_FULL", message);
}

function refused(code: ServerErrorCode, message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, code, message);
}
