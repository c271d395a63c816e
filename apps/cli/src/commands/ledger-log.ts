import { kindName } from "@bonafide/ledger";
import { Ledger, type LogResponse } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide ledger log` */
export const ledgerLog: Command = defineCommand({
  name: "ledger log",
  summary: "shows every change of the control plane: when, who, what and why",
  flags: {
    ...SOCKET_FLAG,
    after: { kind: "integer", help: "only leaves after this number", placeholder: "N" },
    limit: { kind: "integer", help: "at most so many", placeholder: "COUNT" },
    newest: { kind: "boolean", help: "the newest ones instead of the oldest" },
    follow: { kind: "boolean", help: "go on with new ones as they come" },
  },
  examples: ["bonafide ledger log", "bonafide ledger log --newest --limit 20 --follow"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const leaves = server.client(Ledger).log(
      {
        afterN: BigInt(flags.after ?? 0),
        limit: BigInt(flags.limit ?? 0),
        newest: flags.newest,
        follow: flags.follow,
      },
      { signal, timeoutMs: Number.POSITIVE_INFINITY },
    );
    try {
      for await (const leaf of leaves) output.result(leafText(leaf), leafJson(leaf));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return EXIT.ok;
  },
});

function leafText(leaf: LogResponse): string {
  const { actor = "unknown", via } = actorOf(leaf);
  return [
    String(leaf.position?.n ?? 0n).padStart(6),
    new Date(Number(leaf.timeMs)).toISOString(),
    (kindName(leaf.kind) ?? `kind ${leaf.kind}`).padEnd(9),
    leaf.tombstone ? "-" : "+",
    leaf.naturalKey === "" ? "(erased or removed)" : leaf.naturalKey,
    `by ${actor}${via === "" ? "" : ` via ${via}`}`,
    leaf.meta === undefined || leaf.meta.cause === "" ? "" : `: ${leaf.meta.cause}`,
  ].join(" ");
}

function leafJson(leaf: LogResponse): Readonly<Record<string, unknown>> {
  const { actor, via } = actorOf(leaf);
  return {
    n: Number(leaf.position?.n ?? 0n),
    epoch: leaf.position?.epoch ?? 0,
    wireNumber: Number(leaf.wireNumber),
    time: new Date(Number(leaf.timeMs)).toISOString(),
    kind: kindName(leaf.kind) ?? leaf.kind,
    tombstone: leaf.tombstone,
    reappended: leaf.reappended,
    naturalKey: leaf.naturalKey,
    actor: actor ?? null,
    via,
    cause: leaf.meta?.cause ?? null,
    object: leaf.object.value ?? null,
    leafHash: leaf.leafHash,
    leaf: leaf.leaf,
    body: leaf.body,
  };
}

function actorOf(leaf: LogResponse): {
  readonly actor: string | undefined;
  readonly via: string;
} {
  const who = leaf.meta?.actor?.who;
  const via = leaf.meta?.actor?.via ?? "";
  switch (who?.case) {
    case "uid":
      return { actor: `uid ${who.value}`, via };
    case "spiffeId":
    case "person":
      return { actor: who.value, via };
    case "server":
      return { actor: `server ${who.value}`, via };
    default:
      return { actor: undefined, via };
  }
}
