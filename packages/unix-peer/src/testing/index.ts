export { withoutCalls } from "../kernel/without-calls.ts";
