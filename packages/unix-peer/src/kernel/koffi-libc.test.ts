import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";
import { openKernel } from "./linux-kernel.ts";

test("where the C library cannot be bound there is no kernel, and the failure says what is missing", async () => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "koffi") throw new Error("no build for this machine");
      return next(specifier, context);
    },
  });
  try {
    await assert.rejects(openKernel(), { code: "KERNEL_UNSUPPORTED", retry: false });
  } finally {
    hooks.deregister();
  }
  await openKernel();
});
