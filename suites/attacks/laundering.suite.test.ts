import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  type Entry,
  openTestAgent,
  ScriptedServer,
  WORKLOAD_HEADERS,
} from "@bonafide/agent/testing";
import { SpiffeWorkloadAPI, type X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { createClient, openUnixChannel } from "@bonafide/rpc";
import { parseSpiffeId } from "@bonafide/spiffe";
import { ATTACKER, endGroup, MS_MAX, whyNotHere } from "./attack-bench.ts";

const skip = whyNotHere() ?? false;
const PERL = "/usr/bin/perl";
const SLEEP = "/usr/bin/sleep";

/**
 * Connects to a socket, leaves the connection to a child that passes on bytes, and on a signal lays another file over
 * its own program and executes that: SOCKET PROGRAM OTHER
 */
const LAUNDERER = String.raw`use Socket; $^F=255; my ($path, $program, $other) = @ARGV;
socket(S,AF_UNIX,SOCK_STREAM,0) or die; connect(S,sockaddr_un($path)) or die "connect $!";
if (!fork) {
  my $in = ''; vec($in, 0, 1) = 1; vec($in, fileno(S), 1) = 1;
  while (select(my $ready = $in, undef, undef, undef)) {
    for my $way ([*STDIN, *S], [*S, *STDOUT]) {
      my ($from, $to) = @$way;
      next unless vec($ready, fileno($from), 1);
      my $got = sysread($from, my $bytes, 65536) or exit;
      for (my $at = 0; $at < $got;) { $at += syswrite($to, $bytes, $got - $at, $at) or exit }
    }
  }
  exit;
}
$SIG{USR1} = sub { rename($other, $program) or die; exec { $program } "laundered", "1000" };
sleep 1000 while 1;`;

function entry(id: string, value: string): Entry {
  return {
    id,
    spiffeId: parseSpiffeId(`spiffe://example.org/${id}`),
    selectors: [{ type: "unix", value }],
    federatesWith: [],
    hint: "",
    revision: 0n,
    createdAt: 1n,
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
  };
}

/** A program of the attacker's own uid, the socket it connects to, and one that speaks through its connection. */
class Launderer implements AsyncDisposable {
  readonly folder: string = mkdtempSync("/tmp/bf-");
  readonly program: string = join(this.folder, "own/program");
  readonly relay: string = join(this.folder, "r");
  #child: ChildProcess | undefined;
  #server: Server | undefined;

  constructor() {
    chmodSync(this.folder, 0o755);
    mkdirSync(dirname(this.program));
    copyFileSync(PERL, this.program);
    copyFileSync(SLEEP, `${this.program}.other`);
    for (const file of [dirname(this.program), this.program, `${this.program}.other`]) {
      chownSync(file, ATTACKER, ATTACKER);
    }
  }

  async start(socket: string): Promise<void> {
    const args = ["-e", LAUNDERER, socket, this.program, `${this.program}.other`];
    const child = spawn(this.program, args, {
      uid: ATTACKER,
      gid: ATTACKER,
      cwd: "/",
      env: {},
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    this.#child = child;
    this.#server = createServer((client) => {
      client.on("error", () => {});
      client.pipe(child.stdin);
      child.stdout.pipe(client);
    }).listen(this.relay);
    child.stdin.on("error", () => {});
    await once(this.#server, "listening");
  }

  /** Resolves once the process that connected is the other program. */
  async becomeOther(): Promise<void> {
    const pid = this.#child?.pid ?? 0;
    process.kill(pid, "SIGUSR1");
    while (!readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("laundered")) {
      await new Promise(setImmediate);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await endGroup(this.#child);
    this.#server?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test(
  "a caller that becomes another program while its digest is not looked at is found out by the next look",
  { skip, timeout: MS_MAX },
  async () => {
    await using launderer = new Launderer();
    const digest = createHash("sha256").update(readFileSync(PERL)).digest("hex");
    await using server = await ScriptedServer.open();
    server.put(entry("genuine", `sha256:${digest}`), entry("user", `uid:${ATTACKER}`));
    await using agt = await openTestAgent({
      server: server.address,
      bootstrap: { kind: "text", text: server.bundlePem },
      joinToken: "token",
    });
    chmodSync(agt.folder, 0o755);
    await agt.agent.ready({ signal: AbortSignal.timeout(MS_MAX) });
    await launderer.start(agt.agent.workloadSocket);
    using channel = openUnixChannel(launderer.relay);
    const workload = createClient(SpiffeWorkloadAPI, channel);
    const watch = (): Stream =>
      workload.fetchX509SVID(
        {},
        { headers: WORKLOAD_HEADERS, signal: AbortSignal.timeout(MS_MAX) },
      );
    let stream = watch();
    // On a busy machine the digest may be late for the first call.
    while (!(await next(stream)).includes("genuine")) {
      await stream.return();
      stream = watch();
    }
    // Nobody asks for a digest any more, so none is looked at.
    server.remove("genuine");
    assert.deepEqual(await next(stream), ["user"]);
    await launderer.becomeOther();
    server.put(entry("genuine", `sha256:${digest}`));
    await assert.rejects(next(stream), { reason: "CALLER_CHANGED" });
  },
);

type Stream = AsyncGenerator<X509SVIDResponse, void, void>;

async function next(stream: Stream): Promise<string[]> {
  const { value, done } = await stream.next();
  assert.ok(done !== true);
  return value.svids
    .map(({ spiffeId }) => spiffeId.slice("spiffe://example.org/".length))
    .toSorted();
}
