import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { become, execAs } from "@bonafide/agent/launch";
import { BonafideError } from "@bonafide/errors";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { agentAdminSocket, workloadSocket } from "../clients/sockets.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";

/** Set for the inner half only: the same command line again, as the process that becomes the program. */
const INNER = "BONAFIDE_EXEC_INNER";
/** Passed on as they come: the program has a session of its own, so that no terminal sends them to it. */
const PASSED = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
] as const satisfies readonly NodeJS.Signals[];

/** `bonafide exec` */
export const exec: Command = defineCommand({
  name: "exec",
  summary: "starts a program under a name that the agent vouches for (launcher:name:NAME)",
  usage: "--as NAME [flags] -- CMD [ARG...]",
  flags: {
    as: { kind: "string", help: "the name", placeholder: "NAME", required: true },
    uid: {
      kind: "integer",
      help: "run it as this user; root only, or your own",
      placeholder: "UID",
    },
    gid: { kind: "integer", help: "and this group", placeholder: "GID", standard: "the uid" },
    socket: { kind: "string", help: "the agent's admin socket", placeholder: "PATH" },
    "workload-socket": { kind: "string", help: "the Workload API's socket", placeholder: "PATH" },
  },
  takesRest: true,
  examples: ["bonafide exec --as web -- node server.js"],
  async run({ flags, rest, env, output, signal, machine }) {
    const [program, ...args] = rest;
    if (program === undefined) throw usage("which program? bonafide exec --as NAME -- CMD");
    // The real path: another user may not be able to walk to a link in this folder.
    const workload = realPath(workloadSocket(flags["workload-socket"], env).path);
    const { [INNER]: inner, ...outer } = definedOnly(env);
    if (inner !== undefined) {
      // This process is about to be another program: a signal that a handler of ours took would be lost with us.
      for (const name of ["SIGINT", "SIGTERM"] as const) process.removeAllListeners(name);
      return become({ socketPath: workload, command: [program, ...args], env: outer });
    }
    const uid = flags.uid;
    const own = process.geteuid?.();
    if (uid !== undefined && uid !== own && own !== 0) {
      const text = `only root may start a program as uid ${uid}`;
      throw new BonafideError(CLI_ERRORS, "USER_NOT_PERMITTED", text);
    }
    await using launched = await execAs({
      name: flags.as,
      adminSocketPath: realPath(agentAdminSocket(flags.socket, env).path),
      child: [process.execPath, ...machine.cli, ...process.argv.slice(2)],
      env: { ...outer, [INNER]: "1", SPIFFE_ENDPOINT_SOCKET: `unix://${workload}` },
      ...(uid === undefined ? {} : { user: { uid, gid: flags.gid ?? uid } }),
    });
    const pass = (name: NodeJS.Signals): void => {
      launched.kill(name);
    };
    for (const name of PASSED) process.on(name, pass);
    // Came before there was anybody to pass it on to.
    if (signal.aborted) launched.kill("SIGTERM");
    try {
      await launched.named;
      const { code, signal: killedBy } = await launched.ended;
      return code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]);
    } catch (error) {
      // The child has told its own reason on standard error; a second one would only hide it.
      const { code } = await launched.ended;
      if (code !== null && code !== 0) return code;
      output.failure(error);
      return EXIT.unavailable;
    } finally {
      for (const name of PASSED) process.removeListener(name, pass);
    }
  },
});

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

function definedOnly(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
