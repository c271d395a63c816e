import { type Command, defineCommand } from "../arguments/command.ts";
import { loadOidcConfig } from "../config/oidc-config.ts";
import { EXIT } from "../exit-codes.ts";
import { runOidc } from "../oidc/run-oidc.ts";
import { hardenProcess } from "../process/hardening.ts";

/** `bonafide oidc run` */
export const oidcRun: Command = defineCommand({
  name: "oidc run",
  summary: "serves an OIDC discovery document and the keys of JWT-SVIDs",
  flags: {
    config: { kind: "string", help: "YAML file", placeholder: "FILE", spire: "config" },
    domain: {
      kind: "string",
      repeated: true,
      help: "host that is answered for",
      placeholder: "HOST",
    },
    issuer: { kind: "string", help: "the issuer, if it is not https://HOST", placeholder: "URL" },
    listen: {
      kind: "string",
      help: "address for HTTPS, with certificate and key",
      placeholder: "HOST:PORT",
    },
    certificate: { kind: "string", help: "PEM file", placeholder: "FILE" },
    key: { kind: "string", help: "PEM file", placeholder: "FILE" },
    socket: {
      kind: "string",
      help: "unix socket for plain HTTP, behind a proxy",
      placeholder: "PATH",
    },
    "server-socket": {
      kind: "string",
      help: "the server's admin socket, to ask for keys",
      placeholder: "PATH",
    },
    "workload-socket": {
      kind: "string",
      help: "a Workload API socket instead",
      placeholder: "PATH",
    },
    "trust-domain": { kind: "string", help: "whose keys the Workload API is asked for" },
  },
  examples: [
    "bonafide oidc run --config oidc.yaml",
    "bonafide oidc run --domain oidc.example.org --socket /run/bonafide/oidc.sock \\\n" +
      "    --server-socket /var/lib/bonafide/server/private/admin.sock",
  ],
  async run({ flags, output, signal, machine }) {
    hardenProcess();
    await runOidc({
      config: loadOidcConfig(flags.config, {
        domains: flags.domain.length === 0 ? undefined : flags.domain,
        jwt_issuer: flags.issuer,
        listen: flags.listen,
        certificate: flags.certificate,
        key: flags.key,
        socket: flags.socket,
        server_socket: flags["server-socket"],
        workload_socket: flags["workload-socket"],
        trust_domain: flags["trust-domain"],
      }),
      signal,
      clock: machine.clock,
      onReady: (listening) => {
        output.result(`serving on ${listening}`, { listening });
      },
    });
    return EXIT.ok;
  },
});
