import process from "node:process";
import type { Log, LogLevel, LogLevelSwitch } from "@bonafide/lifetime";

/** As much of a configuration as can change while its process runs. */
interface Reloadable {
  readonly log_level: LogLevel;
}

/** Options of {@link reloadOnHangup}. */
export interface ReloadOptions<C extends Reloadable> {
  /** What the process started with. */
  readonly current: C;
  /** Reads the configuration again; throws if it is wrong. */
  readonly load: () => C;
  readonly log: Log;
  readonly levels: Pick<LogLevelSwitch, "set">;
}

/**
 * Reads the configuration again at each SIGHUP. What can change at once does; of the rest it is said that it takes a new
 * start. A file that cannot be read, or is wrong, changes nothing, and that is said, too.
 */
export function reloadOnHangup<C extends Reloadable>(options: ReloadOptions<C>): Disposable {
  let { current } = options;
  const onHangup = (): void => {
    current = reload(options, current);
  };
  process.on("SIGHUP", onHangup);
  return {
    [Symbol.dispose]() {
      process.off("SIGHUP", onHangup);
    },
  };
}

/** @returns the configuration in force from now on */
export function reload<C extends Reloadable>(
  { load, log, levels, current: started }: ReloadOptions<C>,
  current: C,
): C {
  let next: C;
  try {
    next = load();
  } catch (error) {
    log({ level: "error", event: "config.not_reloaded", error });
    return current;
  }
  if (next.log_level !== current.log_level) levels.set(next.log_level);
  const waiting = changedKeys(started, next).filter((key) => key !== "log_level");
  log({ level: "info", event: "config.reloaded", fields: { logLevel: next.log_level } });
  if (waiting.length > 0) {
    log({ level: "warn", event: "config.needs_restart", fields: { keys: waiting } });
  }
  return next;
}

function changedKeys(a: object, b: object): readonly string[] {
  const values = new Map<string, unknown>(Object.entries(b));
  const keys = new Set([...Object.keys(a), ...values.keys()]);
  const before = new Map<string, unknown>(Object.entries(a));
  return [...keys].filter(
    (key) => JSON.stringify(before.get(key)) !== JSON.stringify(values.get(key)),
  );
}
