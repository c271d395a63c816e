import type { AuthorityObject } from "@bonafide/ledger";
import {
  type Authorities,
  AuthorityStanding as Standing,
  AuthorityUse as Use,
  type ListedAuthoritySchema,
} from "@bonafide/proto/bonafide/admin/v1/authorities_pb";
import type { Handlers } from "@bonafide/rpc";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { byActivation } from "../core/authority-changes.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { upstreamIdOf } from "./authority-service.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";

const USES = { x509: Use.X509, jwt: Use.JWT } as const;
const STANDINGS = {
  prepared: Standing.PREPARED,
  active: Standing.ACTIVE,
  old: Standing.OLD,
  tainted: Standing.TAINTED,
  revoked: Standing.REVOKED,
  expired: Standing.EXPIRED,
} as const;

/** bonafide.admin.v1.Authorities: every authority of the trust domain that is still known. */
export function adminAuthoritiesHandlers(
  { registry }: ServiceDeps,
  { serverId }: ServiceOptions,
): Handlers<typeof Authorities, ServerPeer> {
  return {
    listAuthorities({ use }) {
      const objects = [...registry.all("authority")].map(({ object }) => object);
      const authorities = objects
        .filter((object) => use === Use.UNSPECIFIED || USES[object.use] === use)
        .toSorted((a, b) => USES[a.use] - USES[b.use] || byActivation(a, b))
        .map((object) => toListed(object, serverId));
      return { authorities };
    },
  };
}

function toListed(
  authority: AuthorityObject,
  serverId: string,
): MessageInitShape<typeof ListedAuthoritySchema> {
  return {
    use: USES[authority.use],
    id: authority.id,
    standing: STANDINGS[authority.state],
    server: authority.server,
    isOwn: authority.server === serverId,
    notBeforeMs: BigInt(authority.notBeforeMs),
    notAfterMs: BigInt(authority.notAfterMs),
    preparedAtMs: BigInt(authority.preparedAtMs),
    activatedAtMs: BigInt(authority.activatedAtMs),
    upstreamAuthorityId: upstreamIdOf(authority),
  };
}
