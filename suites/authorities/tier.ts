import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { CommandLine, type Serving } from "../cli/command-line.ts";

/** Trust domain of all tiers. */
export const TD = "example.org";

/** What a tier has above it. */
export interface Above {
  readonly address: string;
  readonly workloadSocket: string;
}

/** A server and an agent of it, two processes in a folder of their own. */
export class Tier implements AsyncDisposable {
  readonly address: string;
  readonly workloadSocket: string;
  readonly cli: CommandLine;
  readonly #serving: readonly Serving[];

  private constructor(
    paths: { readonly address: string; readonly workloadSocket: string },
    cli: CommandLine,
    serving: readonly Serving[],
  ) {
    this.address = paths.address;
    this.workloadSocket = paths.workloadSocket;
    this.cli = cli;
    this.#serving = serving;
  }

  /** Starts both; with a tier above, the server is its workload of the hint `nested`. */
  static async open(folder: string, above?: Above): Promise<Tier> {
    const path = (name: string): string => join(folder, name);
    const cli = new CommandLine({
      server: path("s/private/admin.sock"),
      agent: path("a/private/admin.sock"),
      workload: path("w.sock"),
    });
    const upstream =
      above === undefined
        ? {}
        : {
            upstream_authority: {
              spire: {
                server_address: above.address,
                workload_api_socket: above.workloadSocket,
                hint: "nested",
              },
            },
          };
    writeFileSync(path("s.yaml"), JSON.stringify({ authority_spread: "1s", ...upstream }));
    await using started = new AsyncDisposableStack();
    const server = started.use(
      await cli.serve([
        "server",
        "run",
        `--trust-domain=${TD}`,
        `--config=${path("s.yaml")}`,
        `--data-dir=${path("s")}`,
        "--listen=127.0.0.1:0",
      ]),
    );
    const port = /port (\d+)/.exec(server.said)?.[1] ?? "";
    writeFileSync(path("bundle.pem"), (await cli.run("bundle", "show")).out);
    const address = `127.0.0.1:${port}`;
    const { token } = await cli.json("token", "create", "--spiffe-id", `spiffe://${TD}/node`);
    const agent = started.use(
      await cli.serve([
        "agent",
        "run",
        `--trust-domain=${TD}`,
        `--data-dir=${path("a")}`,
        `--server=${address}`,
        `--trust-bundle=${path("bundle.pem")}`,
        `--workload-socket=${path("w.sock")}`,
        `--join-token=${String(token)}`,
      ]),
    );
    started.move();
    return new Tier({ address, workloadSocket: path("w.sock") }, cli, [agent, server]);
  }

  /** An entry for processes of our user on this tier's node. */
  async entry(path: string, hint: string, ...more: readonly string[]): Promise<void> {
    await this.cli.json(
      "entry",
      "create",
      `--spiffe-id=spiffe://${TD}${path}`,
      `--parent-id=spiffe://${TD}/node`,
      `--selector=unix:uid:${process.getuid?.() ?? 0}`,
      `--hint=${hint}`,
      ...more,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const serving of this.#serving) await serving[Symbol.asyncDispose]();
  }
}
