import process from "node:process";
import { systemClock } from "@bonafide/lifetime";
import { openLedger } from "@bonafide/server";
import { openSqliteStore } from "@bonafide/store-sqlite";

/**
 * A server's writing half, made to be killed: changes settings in small and large proposals for ever and says on
 * standard output what was acknowledged, one JSON line each, straight to the pipe.
 */
const [, , dir = "", round = ""] = process.argv;
const store = await openSqliteStore({ path: `${dir}/ledger.db` });
const ledger = await openLedger(
  { store, clock: systemClock },
  { trustDomain: "example.org", serverId: "s1", memoryDir: `${dir}/memory`, version: "0.1" },
);
const by = { actor: { via: "test", uid: 0 }, cause: "crash test" } as const;
const callers = Array.from({ length: 8 }, async (_, caller) => {
  for (let i = 0; ; i += 1) {
    const name = `${caller}-${i % 5}`;
    const value = `${round}-${i}`;
    const both = [`${name}-left`, `${name}-right`];
    const { changes } = await ledger.lane.submit((state) => {
      const isThere = state.find("setting", `${name}-left`) !== undefined;
      if (isThere && i % 3 === 2) {
        return both.map((naturalKey) => ({ remove: { kind: "setting", naturalKey } }) as const);
      }
      return both.map((key) => ({ put: { kind: "setting", name: key, value } }) as const);
    }, by);
    for (const { naturalKey, object, number } of changes) {
      const left = object?.kind === "setting" ? object.value : null;
      process.stdout.write(`${JSON.stringify({ key: naturalKey, value: left, number })}\n`);
    }
  }
});
await Promise.all(callers);
