import { registerHooks } from "node:module";
import process from "node:process";

// Loaded before the tests of a mutant: swaps the text of one condition while its module is loaded. No file is edited.

const { MUTANT = "" } = process.env;
if (MUTANT !== "") {
  const [url = "", start = "", end = ""] = MUTANT.split(" ");
  registerHooks({
    load(asked, context, nextLoad) {
      const loaded = nextLoad(asked, context);
      if (asked !== url || loaded.source === undefined || loaded.source === null) return loaded;
      const text =
        typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      const [from, to] = [Number(start), Number(end)];
      const source = `${text.slice(0, from)}(false && (${text.slice(from, to)}))${text.slice(to)}`;
      return { ...loaded, source };
    },
  });
}
