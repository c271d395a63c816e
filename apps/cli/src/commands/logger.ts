import { Logger as AgentLogger } from "@bonafide/proto/spire/api/agent/logger/v1/logger_pb";
import { Logger as ServerLogger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { type Logger, LogLevel } from "@bonafide/proto/spire/api/types/logger_pb";
import type { CallOptions } from "@bonafide/rpc";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { AGENT_SOCKET_FLAG, connectAgent } from "../clients/connect-agent.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

type Who = "server" | "agent";

const SOCKETS = { server: SOCKET_FLAG, agent: AGENT_SOCKET_FLAG } as const;

/** Least severe level that a running process may be told to write. */
const LEVELS = {
  error: LogLevel.ERROR,
  warn: LogLevel.WARN,
  info: LogLevel.INFO,
  debug: LogLevel.DEBUG,
} as const;

/** The same three calls of two services that differ by name only. */
interface LoggerCalls {
  getLogger(request: object, options: CallOptions): Promise<Logger>;
  setLogLevel(request: { newLevel: LogLevel }, options: CallOptions): Promise<Logger>;
  resetLogLevel(request: object, options: CallOptions): Promise<Logger>;
}

function defineLogger(
  who: Who,
  what: {
    readonly verb: "get" | "reset";
    readonly summary: string;
    readonly call: (logger: LoggerCalls, options: CallOptions) => Promise<Logger>;
  },
): Command {
  const { verb, summary, call } = what;
  return defineCommand({
    name: `${who} logger ${verb}`,
    summary,
    flags: SOCKETS[who],
    examples: [`bonafide ${who} logger ${verb}`],
    run: (context) => tell(who, context, call),
  });
}

function defineSet(who: Who): Command {
  return defineCommand({
    name: `${who} logger set`,
    summary: `has the running ${who} write more, or less, until it ends or is told otherwise`,
    usage: "LEVEL [flags]",
    flags: {
      ...SOCKETS[who],
      level: { kind: "string", help: "same as the operand", spire: "level" },
    },
    operands: { min: 0, max: 1 },
    examples: [`bonafide ${who} logger set debug`],
    run: (context) => {
      const level = levelOf(context.operands[0] ?? context.flags.level);
      return tell(who, context, (logger, options) =>
        logger.setLogLevel({ newLevel: level }, options),
      );
    },
  });
}

interface ToldContext {
  readonly flags: { readonly socket: string | undefined };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: { result(text: string, value: unknown): void };
  readonly signal: AbortSignal;
}

async function tell(
  who: Who,
  { flags, env, output, signal }: ToldContext,
  call: (logger: LoggerCalls, options: CallOptions) => Promise<Logger>,
): Promise<number> {
  using socket =
    who === "server" ? connectServer(flags.socket, env) : connectAgent(flags.socket, env);
  const logger = who === "server" ? socket.client(ServerLogger) : socket.client(AgentLogger);
  const { currentLevel, launchLevel } = await call(logger, { signal });
  const levels = { level: levelName(currentLevel), atStart: levelName(launchLevel) };
  output.result(`${levels.level} (at start ${levels.atStart})`, levels);
  return EXIT.ok;
}

/** @throws USAGE */
function levelOf(text: string | undefined): LogLevel {
  const found = Object.entries(LEVELS).find(([name]) => name === text?.toLowerCase());
  if (found === undefined) throw usage(`which level? one of ${Object.keys(LEVELS).join(", ")}`);
  return found[1];
}

function levelName(level: LogLevel): string {
  const [name] = Object.entries(LogLevel).find(([, number]) => number === level) ?? [];
  return (name ?? String(level)).toLowerCase();
}

const get = {
  verb: "get",
  call: (logger: LoggerCalls, o: CallOptions) => logger.getLogger({}, o),
} as const;
const reset = {
  verb: "reset",
  call: (logger: LoggerCalls, o: CallOptions) => logger.resetLogLevel({}, o),
} as const;

/** `bonafide server logger get` */
export const serverLoggerGet: Command = defineLogger("server", {
  ...get,
  summary: "says how much the running server writes to its log",
});
/** `bonafide server logger set` */
export const serverLoggerSet: Command = defineSet("server");
/** `bonafide server logger reset` */
export const serverLoggerReset: Command = defineLogger("server", {
  ...reset,
  summary: "has the running server write as much as when it started",
});
/** `bonafide agent logger get` */
export const agentLoggerGet: Command = defineLogger("agent", {
  ...get,
  summary: "says how much the running agent writes to its log",
});
/** `bonafide agent logger set` */
export const agentLoggerSet: Command = defineSet("agent");
/** `bonafide agent logger reset` */
export const agentLoggerReset: Command = defineLogger("agent", {
  ...reset,
  summary: "has the running agent write as much as when it started",
});
