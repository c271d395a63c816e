import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { BonafideError } from "@bonafide/errors";
import type { LogEvent, LogLevel } from "@bonafide/lifetime";
import { CLI_ERRORS } from "../errors.ts";
import { reload, reloadOnHangup, type ReloadOptions } from "./reload.ts";

interface Config {
  readonly log_level: LogLevel;
  readonly listen: string;
}

function rig(load: () => Config): {
  readonly options: ReloadOptions<Config>;
  readonly events: LogEvent[];
  readonly levels: LogLevel[];
} {
  const events: LogEvent[] = [];
  const levels: LogLevel[] = [];
  const options = {
    current: { log_level: "info", listen: "a:1" } as const,
    load,
    log: (event: LogEvent) => events.push(event),
    levels: {
      set: (level: LogLevel) => {
        levels.push(level);
      },
    },
  };
  return { options, events, levels };
}

test("a new level counts at once; what takes a new start is named, again each time", () => {
  const next = { log_level: "debug", listen: "b:2" } as const;
  const { options, events, levels } = rig(() => next);
  assert.equal(reload(options, options.current), next);
  assert.equal(reload(options, next), next);
  assert.deepEqual(levels, ["debug"]);
  assert.deepEqual(
    events.map(({ event, fields }) => [event, fields?.["keys"]]),
    [
      ["config.reloaded", undefined],
      ["config.needs_restart", ["listen"]],
      ["config.reloaded", undefined],
      ["config.needs_restart", ["listen"]],
    ],
  );
});

test("a file that cannot be read keeps the last good one, and that is said", () => {
  const { options, events, levels } = rig(() => {
    throw new BonafideError(CLI_ERRORS, "CONFIG_INVALID", "no");
  });
  assert.equal(reload(options, options.current), options.current);
  assert.deepEqual(levels, []);
  assert.deepEqual(
    events.map(({ event, level }) => [event, level]),
    [["config.not_reloaded", "error"]],
  );
});

test("SIGHUP reloads until it is disposed", async () => {
  const reloaded = Promise.withResolvers<void>();
  const { options, levels } = rig(() => ({ log_level: "warn", listen: "a:1" }));
  const before = process.listenerCount("SIGHUP");
  {
    using _ = reloadOnHangup({
      ...options,
      log: () => {
        reloaded.resolve();
      },
    });
    process.kill(process.pid, "SIGHUP");
    await reloaded.promise;
  }
  assert.deepEqual(levels, ["warn"]);
  assert.equal(process.listenerCount("SIGHUP"), before);
});
