import { type ChildProcess, spawn } from "node:child_process";

/** Starts a node process that connects to a unix socket and stays until it is killed. */
export function connectChild(path: string): ChildProcess {
  const script =
    'const s=require("net").connect(process.argv[1]);s.on("error",()=>{});setInterval(()=>{},1e6)';
  return spawn(process.execPath, ["-e", script, path], { stdio: "ignore", env: {} });
}
