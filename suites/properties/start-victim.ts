import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { formatCertificatesPem } from "@bonafide/pki";
import { TestTrustDomain } from "@bonafide/spiffe/testing";

/** Ways to reach the victim. */
export const WAYS = ["tls", "https", "grpc"] as const;
/** One of {@link WAYS}. */
export type WayIn = (typeof WAYS)[number];

/** A server process to attack. */
export interface Victim extends AsyncDisposable {
  /** Its own trust domain, `a.test`: the attacker may do anything but sign with its authority. */
  readonly own: TestTrustDomain;
  /** A friendly domain, `b.test`, whose bundle the victim has too; the attacker owns it. */
  readonly friend: TestTrustDomain;
  readonly ports: Readonly<Record<WayIn, number>>;
  /** Everybody it served, as `way spiffe-id`. */
  readonly served: readonly string[];
  /** Makes it read the bundles of now; afterwards everything it said before has been heard. */
  reload(): Promise<void>;
}

/** Starts a server process that has the bundles of two trust domains and admits members of the first. */
export async function startVictim(): Promise<Victim> {
  const folder = mkdtempSync(join(tmpdir(), "bonafide-victim-"));
  const own = new TestTrustDomain("a.test");
  const friend = new TestTrustDomain("b.test");
  const { chain, privateKey } = own.issue("/victim");
  writeFileSync(join(folder, "svid.pem"), formatCertificatesPem(chain));
  writeFileSync(join(folder, "svid.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
  const writeBundles = (): void => {
    for (const { trustDomain, bundle } of [own, friend]) {
      writeFileSync(join(folder, `${trustDomain}.pem`), formatCertificatesPem(bundle.authorities));
    }
  };
  writeBundles();
  const program = fileURLToPath(new URL("victim.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const served: string[] = [];
  const lines = new Lines(child, (line) => {
    if ("served" in line) served.push(`${String(line["served"])} ${String(line["peer"])}`);
  });
  const first = await lines.with("ports");
  return {
    own,
    friend,
    served,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own program
    ports: first["ports"] as Victim["ports"],
    async reload() {
      writeBundles();
      const reloaded = lines.with("reloaded");
      child.stdin.write("reload\n");
      await reloaded;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await lines.ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** The JSON lines of a process. */
class Lines {
  readonly ended: Promise<void>;
  readonly #waiting = new Map<string, (line: Record<string, unknown>) => void>();

  constructor(child: ChildProcess, onLine: (line: Record<string, unknown>) => void) {
    this.ended = new Promise((resolve) => {
      child.once("close", () => {
        resolve();
      });
    });
    if (child.stdout === null) throw new Error("no standard output");
    createInterface({ input: child.stdout }).on("line", (text) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own program
      const line = JSON.parse(text) as Record<string, unknown>;
      onLine(line);
      for (const [key, resolve] of this.#waiting) if (key in line) resolve(line);
    });
  }

  async #rejectAtEnd(key: string, reject: (error: Error) => void): Promise<void> {
    await this.ended;
    reject(new Error(`the process ended before it said ${key}`));
  }

  with(key: string): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, resolve);
      void this.#rejectAtEnd(key, reject);
    });
  }
}
