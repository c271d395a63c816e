import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { type Command, type CommandContext, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { oneId } from "./local-authority.ts";

const ROOT_FLAG = {
  ...SOCKET_FLAG,
  "subject-key-id": {
    kind: "string",
    help: "subject key identifier of the root, hexadecimal; an operand says the same",
    placeholder: "ID",
    spire: "subjectKeyID",
  },
} as const;

/** `bonafide upstreamauthority taint` */
export const upstreamAuthorityTaint: Command = command({
  verb: "taint",
  summary: "tells everybody to move away from a root above this server",
  done: "tainted",
});

/** `bonafide upstreamauthority revoke` */
export const upstreamAuthorityRevoke: Command = command({
  verb: "revoke",
  summary: "takes a tainted root above this server out of the bundle for good",
  done: "revoked",
});

interface Change {
  readonly verb: "taint" | "revoke";
  readonly summary: string;
  readonly done: string;
}

function command({ verb, summary, done }: Change): Command {
  const name = `upstreamauthority ${verb}`;
  return defineCommand({
    name,
    summary,
    usage: "SUBJECT-KEY-ID [flags]",
    flags: ROOT_FLAG,
    operands: { min: 0, max: 1 },
    examples: [`bonafide ${name} 2e390bcec18f5f3f3b2dad4f5cd82dd666585c3f`],
    async run({ flags, operands, env, output, signal }: CommandContext<typeof ROOT_FLAG>) {
      const subjectKeyId = oneId(flags["subject-key-id"], operands);
      using server = connectServer(flags.socket, env);
      const calls = server.client(LocalAuthority);
      const { upstreamAuthoritySubjectKeyId: id } =
        verb === "taint"
          ? await calls.taintX509UpstreamAuthority({ subjectKeyId }, { signal })
          : await calls.revokeX509UpstreamAuthority({ subjectKeyId }, { signal });
      output.result(`${done} ${id}`, { [done]: { id } });
      return EXIT.ok;
    },
  });
}
