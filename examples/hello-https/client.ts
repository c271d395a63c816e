/** Usage: client.ts HOST:PORT SERVER-SPIFFE-ID. Talks to that identity and no other, once. */
import { get } from "node:https";
import process from "node:process";
import { createHttpsAgent, exactId } from "@bonafide/spiffe";
import { openIdentity } from "../open-identity.ts";

const [, , address = "127.0.0.1:8443", serverId = ""] = process.argv;
const source = await openIdentity();
const agent = createHttpsAgent({ source, authorize: exactId(serverId) });
const request = get(`https://${address}/`, { agent }, (response) => {
  response.setEncoding("utf8").on("data", console.log).on("end", end);
});
request.on("error", (error) => {
  console.log(`failed: ${error.message}`);
  process.exitCode = 1;
  end();
});

function end(): void {
  agent.destroy();
  void source.close();
}
