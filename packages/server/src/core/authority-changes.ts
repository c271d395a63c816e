import { BonafideError } from "@bonafide/errors";
import type { AuthorityObject } from "@bonafide/ledger";
import { SERVER_ERRORS, type ServerErrorCode } from "../errors.ts";
import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
import { LIMITS } from "../limits.ts";

/** Whose authorities of which use: each server has its own. */
export interface AuthorityHolder {
  readonly use: AuthorityObject["use"];
  /** Id of the server. */
  readonly server: string;
}

/** The name of an authority in the registry. */
export function authorityName(use: AuthorityObject["use"], id: string): string {
  return `${use}/${id}`;
}

/** Order: newest activation first, and what was not activated yet before all others. */
export function byActivation(a: AuthorityObject, b: AuthorityObject): number {
  const [beganA, beganB] = [a.activatedAtMs || Infinity, b.activatedAtMs || Infinity];
  if (beganA !== beganB) return beganA > beganB ? -1 : 1;
  return b.preparedAtMs - a.preparedAtMs || (a.id < b.id ? -1 : 1);
}

/** The authorities of one holder, by {@link byActivation}. */
export function authoritiesOf(view: RegistryView, holder: AuthorityHolder): AuthorityObject[] {
  const own: AuthorityObject[] = [];
  for (const { object } of view.all("authority")) {
    if (object.use === holder.use && object.server === holder.server) own.push(object);
  }
  return own.toSorted(byActivation);
}

/**
 * Publishes a new authority, prepared or active. A prepared one that waits already makes room: it never signed.
 *
 * @throws AUTHORITIES_FULL  by force only: what the bundle carries is bounded
 */
export function preparation(authority: AuthorityObject, options: { isForced: boolean }): Decide {
  return (view) => {
    const own = authoritiesOf(view, authority);
    const published = own.filter(({ state }) => state === "old" || state === "tainted");
    if (options.isForced && published.length >= LIMITS.oldAuthorities) {
      const message = `${published.length} old authorities are published: revoke some first`;
      throw new BonafideError(SERVER_ERRORS, "AUTHORITIES_FULL", message);
    }
    const waiting = own.filter(({ state }) => state === "prepared");
    return [
      ...waiting.map(removal),
      ...(authority.state === "active" ? retirements(own) : []),
      { put: authority },
    ];
  };
}

/** What a caller of {@link activation} wants. */
export interface ActivationOptions {
  readonly now: number;
  /** How long it must have been published, ms. */
  readonly spreadMs: number;
}

/**
 * Lets a prepared authority sign; the one that did so far becomes an old one.
 *
 * @throws AUTHORITY_NOT_PREPARED  none is prepared
 * @throws AUTHORITY_NOT_FOUND     no authority of this server has the id
 * @throws AUTHORITY_STATE_WRONG   the id is not the prepared one's
 * @throws AUTHORITY_NOT_READY     others could not learn of it yet
 */
export function activation(
  holder: AuthorityHolder,
  id: string,
  { now, spreadMs }: ActivationOptions,
): Decide {
  return (view) => {
    const prepared = assertPrepared(view, holder, id);
    const leftMs = prepared.preparedAtMs + spreadMs - now;
    if (leftMs > 0) {
      const message = "the authority was published just now: not everybody knows it";
      const retryAfterMs = Math.ceil(Math.min(leftMs, spreadMs));
      throw new BonafideError(SERVER_ERRORS, "AUTHORITY_NOT_READY", message, { retryAfterMs });
    }
    const own = authoritiesOf(view, holder);
    return [...retirements(own), { put: { ...prepared, state: "active", activatedAtMs: now } }];
  };
}

/** The prepared authority of this id. @throws as {@link activation}, but for AUTHORITY_NOT_READY */
export function assertPrepared(
  view: RegistryView,
  holder: AuthorityHolder,
  id: string,
): AuthorityObject {
  const own = authoritiesOf(view, holder);
  if (!own.some(({ state }) => state === "prepared")) {
    throw refused("AUTHORITY_NOT_PREPARED", "no authority is prepared");
  }
  const meant = own.find((authority) => authority.id === id);
  if (meant === undefined) throw notFound();
  if (meant.state === "prepared") return meant;
  throw refused("AUTHORITY_STATE_WRONG", `the authority is ${meant.state}, not prepared`);
}

/**
 * Marks an old authority as one to move away from: it stays published until it is revoked.
 *
 * @throws AUTHORITY_NOT_FOUND    no authority of the trust domain has the id
 * @throws AUTHORITY_STATE_WRONG  it is not an old one
 */
export function tainting(use: AuthorityObject["use"], id: string): Decide {
  return (view) => {
    const authority = named(view, use, id);
    // A call that is repeated because its answer was lost finds what it wanted.
    if (authority.state === "tainted") return [];
    if (authority.state !== "old") {
      throw refused(
        "AUTHORITY_STATE_WRONG",
        `the authority is ${authority.state}: only an old one is tainted`,
      );
    }
    return [{ put: { ...authority, state: "tainted" } }];
  };
}

/**
 * Takes a tainted authority out of the bundle for good: from here on nobody believes what it signed.
 *
 * @throws AUTHORITY_NOT_FOUND    no authority of the trust domain has the id
 * @throws AUTHORITY_STATE_WRONG  it signs, or may soon
 * @throws AUTHORITY_NOT_TAINTED  whoever holds something of it was not told to move away
 */
export function revocation(use: AuthorityObject["use"], id: string): Decide {
  return (view) => {
    const authority = named(view, use, id);
    if (authority.state === "revoked") return [];
    if (authority.state === "tainted") return [{ put: { ...authority, state: "revoked" } }];
    if (authority.state === "old") {
      throw refused("AUTHORITY_NOT_TAINTED", "the authority is not tainted yet");
    }
    throw refused(
      "AUTHORITY_STATE_WRONG",
      `the authority is ${authority.state}: only a tainted one is revoked`,
    );
  };
}

/** Every active authority becomes an old one. */
function retirements(own: readonly AuthorityObject[]): Change[] {
  return own
    .filter(({ state }) => state === "active")
    .map((authority): Change => ({ put: { ...authority, state: "old" } }));
}

/** Forgets an authority altogether. */
export function removal({ use, id }: AuthorityObject): Change {
  return { remove: { kind: "authority", naturalKey: authorityName(use, id) } };
}

function named(view: RegistryView, use: AuthorityObject["use"], id: string): AuthorityObject {
  const known = view.find("authority", authorityName(use, id));
  if (known === undefined) throw notFound();
  return known.object;
}

function notFound(): BonafideError {
  return refused("AUTHORITY_NOT_FOUND", "no authority has this id");
}

function refused(code: ServerErrorCode, message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, code, message);
}
