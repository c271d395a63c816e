/** Usage: client.ts HOST:PORT SERVER-SPIFFE-ID. Talks to that identity and no other, each second, across rotations. */
import process from "node:process";
import { setInterval } from "node:timers/promises";
import { exactId, openRotatingGrpcClient } from "@bonafide/spiffe";
import { Metadata } from "@grpc/grpc-js";
import { openIdentity } from "../open-identity.ts";
import { openGreeter } from "./greeter.ts";

const [, , address = "127.0.0.1:8443", serverId = ""] = process.argv;
const source = await openIdentity();
const greeter = openRotatingGrpcClient({
  source,
  authorize: exactId(serverId),
  open: (credentials) => openGreeter(address, credentials),
});
hello();
for await (const _ of setInterval(1000)) hello();

function hello(): void {
  const deadline = Date.now() + 5000;
  greeter.current.sayHello({ text: "hello" }, new Metadata(), { deadline }, (error, answer) => {
    console.log(error === null ? (answer?.text ?? "") : `failed: ${error.message}`);
  });
}
