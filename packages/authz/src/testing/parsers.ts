import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { parse } from "yaml";
import type { FolderParsers } from "../core/folder/read-folder.ts";

/** Cedar's own parser, and a YAML library: what the command line gives. */
export const parsers: FolderParsers = {
  cedar: (text) => {
    const answer = cedar.policyToJson(text);
    if (answer.type === "failure") throw new Error(answer.errors[0]?.message);
    return answer.json;
  },
  yaml: (text): unknown => parse(text),
};
