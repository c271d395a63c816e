import { Authorities, AuthorityUse as Use } from "@bonafide/proto/bonafide/admin/v1/authorities_pb";
import {
  type AuthorityState,
  LocalAuthority,
} from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import type { Client } from "@bonafide/rpc";
import { type Command, type CommandContext, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../output.ts";
import { authorityJson } from "../render/authority.ts";
import { isoSeconds } from "../render/entry.ts";

/** What an authority of the commands signs. */
export type AuthorityUseName = "x509" | "jwt";

/** An activation waits at the server until everybody can know the authority, a minute at most. */
const ACTIVATION_MS = 120_000;

const NOUN = { x509: "X.509 authority", jwt: "JWT authority" } as const;
const USES = { x509: Use.X509, jwt: Use.JWT } as const;

const ID_FLAG = {
  ...SOCKET_FLAG,
  "authority-id": {
    kind: "string",
    help: "the authority; an operand says the same",
    placeholder: "ID",
    spire: "authorityID",
  },
} as const;
type IdContext = CommandContext<typeof ID_FLAG>;

/** `bonafide localauthority x509|jwt show` */
export function localAuthorityShow(use: AuthorityUseName): Command {
  return defineCommand({
    name: `localauthority ${use} show`,
    summary: `shows every ${NOUN[use]} of the trust domain, and which of them signs here`,
    flags: SOCKET_FLAG,
    examples: [`bonafide localauthority ${use} show`, `bonafide localauthority ${use} show --json`],
    async run({ flags, env, output, signal }) {
      using server = connectServer(flags.socket, env);
      const request = { use: USES[use] };
      const listed = await server.client(Authorities).listAuthorities(request, { signal });
      const authorities = listed.authorities.map(authorityJson);
      const rows = authorities.map(({ id, state, isOwn, server: holder, expiresAt }) => [
        id,
        state,
        expiresAt === 0 ? "never" : isoSeconds(expiresAt),
        isOwn ? "this server" : holder,
      ]);
      const none = "no authorities";
      output.result(
        rows.length === 0 ? none : table(["AUTHORITY", "STATE", "EXPIRES", "HELD BY"], rows),
        { authorities },
      );
      return EXIT.ok;
    },
  });
}

/** `bonafide localauthority x509|jwt prepare` */
export function localAuthorityPrepare(use: AuthorityUseName): Command {
  return defineCommand({
    name: `localauthority ${use} prepare`,
    summary: `makes and publishes the next ${NOUN[use]}; it does not sign yet`,
    flags: SOCKET_FLAG,
    examples: [`bonafide localauthority ${use} prepare`],
    async run({ flags, env, output, signal }) {
      using server = connectServer(flags.socket, env);
      const calls = server.client(LocalAuthority);
      const { preparedAuthority } =
        use === "x509"
          ? await calls.prepareX509Authority({}, { signal })
          : await calls.prepareJWTAuthority({}, { signal });
      const authority = stateJson(preparedAuthority);
      const next = `bonafide localauthority ${use} activate ${authority.id}`;
      output.result(`prepared ${authority.id}; next: ${next}`, { prepared: authority });
      return EXIT.ok;
    },
  });
}

/** `bonafide localauthority x509|jwt activate` */
export function localAuthorityActivate(use: AuthorityUseName): Command {
  return withId(use, {
    verb: "activate",
    summary: `lets the prepared ${NOUN[use]} sign, once everybody had time to learn of it`,
    done: "activated",
    call: async (calls, authorityId, signal) => {
      const options = { signal, timeoutMs: ACTIVATION_MS };
      const { activatedAuthority } =
        use === "x509"
          ? await calls.activateX509Authority({ authorityId }, options)
          : await calls.activateJWTAuthority({ authorityId }, options);
      return activatedAuthority;
    },
  });
}

/** `bonafide localauthority x509|jwt taint` */
export function localAuthorityTaint(use: AuthorityUseName): Command {
  return withId(use, {
    verb: "taint",
    summary: `tells everybody to move away from an old ${NOUN[use]}; it stays in the bundle`,
    done: "tainted",
    note: (id) => `${TAINTED[use]}; then: bonafide localauthority ${use} revoke ${id}`,
    call: async (calls, authorityId, signal) => {
      const { taintedAuthority } =
        use === "x509"
          ? await calls.taintX509Authority({ authorityId }, { signal })
          : await calls.taintJWTAuthority({ authorityId }, { signal });
      return taintedAuthority;
    },
  });
}

/** `bonafide localauthority x509|jwt revoke` */
export function localAuthorityRevoke(use: AuthorityUseName): Command {
  return withId(use, {
    verb: "revoke",
    summary: `takes a tainted ${NOUN[use]} out of the bundle for good: what it signed counts no more`,
    done: "revoked",
    call: async (calls, authorityId, signal) => {
      const { revokedAuthority } =
        use === "x509"
          ? await calls.revokeX509Authority({ authorityId }, { signal })
          : await calls.revokeJWTAuthority({ authorityId }, { signal });
      return revokedAuthority;
    },
  });
}

/** What to wait for between tainting and revoking. */
const TAINTED = {
  x509: "connected agents replace what it signed within seconds; an agent that has not when it is revoked must join anew",
  jwt: "agents hand out no token of it any more; those handed out count until it is revoked or they end",
} as const;

interface Change {
  readonly verb: "activate" | "taint" | "revoke";
  readonly summary: string;
  readonly done: string;
  readonly note?: (id: string) => string;
  readonly call: (
    calls: Client<typeof LocalAuthority>,
    authorityId: string,
    signal: AbortSignal,
  ) => Promise<AuthorityState | undefined>;
}

function withId(use: AuthorityUseName, { verb, summary, done, note, call }: Change): Command {
  const name = `localauthority ${use} ${verb}`;
  return defineCommand({
    name,
    summary,
    usage: "AUTHORITY-ID [flags]",
    flags: ID_FLAG,
    operands: { min: 0, max: 1 },
    examples: [`bonafide ${name} 2e390bcec18f5f3f3b2dad4f5cd82dd666585c3f`],
    async run({ flags, operands, env, output, signal }: IdContext) {
      const id = oneId(flags["authority-id"], operands);
      using server = connectServer(flags.socket, env);
      const authority = stateJson(await call(server.client(LocalAuthority), id, signal));
      output.result(`${done} ${authority.id}`, { [done]: authority });
      if (note !== undefined) output.note(note(authority.id));
      return EXIT.ok;
    },
  });
}

/** The id, given once: by flag or as an operand. @throws USAGE_INVALID */
export function oneId(flag: string | undefined, operands: readonly string[]): string {
  const given = [...(flag === undefined ? [] : [flag]), ...operands];
  const [id] = given;
  if (given.length !== 1 || id === undefined || id === "") throw usage("give one ID");
  return id;
}

function stateJson(state: AuthorityState | undefined): {
  readonly id: string;
  readonly expiresAt: number;
  readonly upstreamAuthorityId: string;
} {
  return {
    id: state?.authorityId ?? "",
    expiresAt: Number(state?.expiresAt ?? 0n),
    upstreamAuthorityId: state?.upstreamAuthoritySubjectKeyId ?? "",
  };
}
