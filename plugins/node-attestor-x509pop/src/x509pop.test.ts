import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { silentLog } from "@bonafide/lifetime";
import { encodePrivateKey, formatPem, parseCertificate, type Certificate } from "@bonafide/pki";
import { type MadeCertificate, type MadeTemplate, makeCertificate } from "@bonafide/pki/testing";
import type { AttestedNode, NodeAttestor, NodeProver } from "@bonafide/plugin-api";
import { nodeAttestorContract } from "@bonafide/plugin-api/testing";
import {
  type AuthorityFiles,
  createX509popAttestor,
  createX509popProver,
  openAuthorityFiles,
} from "./index.ts";

const TD = "example.org";
const root = makeCertificate({ commonName: "machines", isAuthority: true });
const svidRoot = makeCertificate({
  commonName: "ours",
  isAuthority: true,
  uris: [`spiffe://${TD}`],
});

function authoritiesOf(...made: readonly MadeCertificate[]): AuthorityFiles {
  return { current: () => Promise.resolve(made.map(({ der }) => parseCertificate(der))) };
}

const external = createX509popAttestor({ mode: "external_pki", authorities: authoritiesOf(root) });
const exchange = createX509popAttestor({ mode: "spiffe" });

function machine(template: MadeTemplate = {}, issuer = root): MadeCertificate {
  return makeCertificate({ commonName: "web-1", ...template }, issuer);
}

type Answering = (challenge: Uint8Array) => Promise<Uint8Array> | Uint8Array;

function attest(
  attestor: NodeAttestor,
  payload: Uint8Array,
  answer: Answering,
  authorities: readonly Certificate[] = [parseCertificate(svidRoot.der)],
): Promise<AttestedNode> {
  return attestor.attest(payload, {
    trustDomain: TD,
    authorities,
    now: Date.now(),
    signal: new AbortController().signal,
    challenge: async (bytes) => answer(bytes),
  });
}

function folder(): Disposable & { file(name: string, text: string): string } {
  const path = mkdtempSync("/tmp/bf-pop-");
  return {
    file(name, text) {
      const whole = join(path, name);
      writeFileSync(whole, text, { mode: 0o600 });
      return whole;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

type Files = ReturnType<typeof folder>;

function proverOf(
  files: Files,
  leaf: MadeCertificate,
  above: readonly MadeCertificate[] = [],
): NodeProver {
  return createX509popProver({
    privateKeyPath: files.file(
      "key.pem",
      formatPem("PRIVATE KEY", encodePrivateKey(leaf.privateKey)),
    ),
    certificatePath: files.file("cert.pem", leaf.pem),
    ...(above.length === 0
      ? {}
      : { intermediatesPath: files.file("above.pem", above.map(({ pem }) => pem).join("")) }),
  });
}

async function prove(
  attestor: NodeAttestor,
  leaf: MadeCertificate,
  above: readonly MadeCertificate[] = [],
): Promise<AttestedNode> {
  using files = folder();
  const signal = new AbortController().signal;
  const { payload, answer } = await proverOf(files, leaf, above).begin({ signal });
  return attest(attestor, payload, answer);
}

for (const [mode, attestor, issuer] of [
  ["external_pki", external, root],
  ["spiffe", exchange, svidRoot],
] as const) {
  nodeAttestorContract(`x509pop, ${mode}`, () => {
    const files = folder();
    const leaf = machine({ uris: [`spiffe://${TD}/spire-exchange/1`] }, issuer);
    return Promise.resolve({
      attestor,
      prover: proverOf(files, leaf),
      trustDomain: TD,
      authorities: [parseCertificate(svidRoot.der)],
      [Symbol.dispose]: () => {
        files[Symbol.dispose]();
      },
    });
  });
}

const REFUSED = { code: "NODE_EVIDENCE_REFUSED" };

test("RSA and every ECDSA curve prove themselves, and name the node by the SHA-1 of its certificate", async () => {
  for (const keyKind of ["rsa-2048", "ec-p256", "ec-p384", "ec-p521"] as const) {
    const { path, canReattest } = await prove(external, machine({ keyKind }));
    assert.match(path, /^\/x509pop\/[0-9a-f]{40}$/, keyKind);
    assert.equal(canReattest, true);
  }
});

test("the selectors are common name, serial number, names of scheme x509pop, and who vouches", async () => {
  const between = makeCertificate({ commonName: "between", isAuthority: true }, root);
  const leaf = machine(
    {
      serial: Uint8Array.of(10, 27),
      uris: [`x509pop://${TD}/rack:12`, "x509pop://other.org/rack:13", `x509pop://${TD}/none`],
    },
    between,
  );
  const { selectors } = await prove(external, leaf, [between]);
  const values = selectors.map(({ type, value }) => `${type}:${value}`);
  assert.deepEqual(
    values.filter((value) => !value.includes("fingerprint")),
    ["x509pop:subject:cn:web-1", "x509pop:serialnumber:0a1b", "x509pop:san:rack:12"],
  );
  assert.equal(values.filter((value) => /:ca:fingerprint:[0-9a-f]{40}$/.test(value)).length, 2);
});

function svid(uri: string, issuer = svidRoot): MadeCertificate {
  return machine({ uris: [uri] }, issuer);
}

test("an SVID below the prefix is exchanged for an agent's path; any other is refused", async () => {
  const { path } = await prove(exchange, svid(`spiffe://${TD}/spire-exchange/rack/1`));
  assert.equal(path, "/x509pop/rack/1");
  for (const bad of [
    svid(`spiffe://${TD}/other/rack/1`),
    svid(`spiffe://${TD}/spire-exchange`),
    svid(`spiffe://${TD}/spire-exchanged/1`),
    svid(`spiffe://${TD}/spire/agent/x509pop/1`),
    svid("spiffe://other.org/spire-exchange/1"),
    svid(`spiffe://${TD}/spire-exchange/1`, root),
    machine({}, svidRoot),
  ]) {
    await assert.rejects(prove(exchange, bad), REFUSED);
  }
  const anywhere = createX509popAttestor({ mode: "spiffe", svidPrefix: "" });
  assert.equal((await prove(anywhere, svid(`spiffe://${TD}/a/b`))).path, "/x509pop/a/b");
  await assert.rejects(prove(anywhere, svid(`spiffe://${TD}/spire/server`)), REFUSED);
});

test("a certificate is refused that nobody vouches for, has ended, signs nothing, or has another key", async () => {
  const stranger = makeCertificate({ commonName: "machines", isAuthority: true });
  const hour = 3_600_000;
  for (const bad of [
    machine({}, stranger),
    machine({ notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }),
    machine({ notBefore: Date.now() + hour, notAfter: Date.now() + 2 * hour }),
    machine({ keyUsage: null }),
    machine({ keyUsage: 4 }),
    makeCertificate({ commonName: "ca", isAuthority: true }, root),
  ]) {
    await assert.rejects(prove(external, bad), REFUSED);
  }
  const payload = (await evidenceOf(machine())).payload;
  const other = await evidenceOf(machine());
  await assert.rejects(attest(external, payload, other.answer), REFUSED);
  const rsa = await evidenceOf(machine({ keyKind: "rsa-2048" }));
  await assert.rejects(
    attest(external, payload, async () => (await replayed(rsa.answer))()),
    REFUSED,
  );
  const unsigned = machine({ keyKind: "ed25519" });
  const chain = JSON.stringify({ certificates: [Buffer.from(unsigned.der).toString("base64")] });
  await assert.rejects(
    attest(external, Buffer.from(chain), () => new Uint8Array()),
    REFUSED,
  );
});

async function evidenceOf(
  leaf: MadeCertificate,
): Promise<{ payload: Uint8Array; answer: (challenge: Uint8Array) => Promise<Uint8Array> }> {
  using files = folder();
  return await proverOf(files, leaf).begin({ signal: new AbortController().signal });
}

/** An answer to a challenge of another time, for RSA. */
async function replayed(
  answer: (challenge: Uint8Array) => Promise<Uint8Array>,
): Promise<() => Uint8Array> {
  const nonce = Buffer.alloc(32, 1).toString("base64");
  const bytes = await answer(Buffer.from(JSON.stringify({ rsa_signature: { nonce } })));
  return () => bytes;
}

test("an answer holds for its challenge only, and no byte of it may differ", async () => {
  const leaf = machine();
  const { payload, answer } = await evidenceOf(leaf);
  let first: Uint8Array | undefined;
  await attest(external, payload, async (challenge) => (first = await answer(challenge)));
  await assert.rejects(
    attest(external, payload, () => first ?? new Uint8Array()),
    REFUSED,
  );
  const changed = (change: (response: Record<string, string>) => void): Answering => {
    return async (challenge) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the prover wrote
      const response = JSON.parse(Buffer.from(await answer(challenge)).toString()) as {
        ecdsa_signature: Record<string, string>;
      };
      change(response.ecdsa_signature);
      return Buffer.from(JSON.stringify(response));
    };
  };
  const zeros = Buffer.alloc(32).toString("base64");
  for (const change of [
    (each: Record<string, string>) => (each["nonce"] = zeros),
    (each: Record<string, string>) => (each["r"] = zeros),
    (each: Record<string, string>) => (each["s"] = zeros),
    (each: Record<string, string>) => ([each["r"], each["s"]] = [each["s"] ?? "", each["r"] ?? ""]),
    (each: Record<string, string>) => (each["s"] = Buffer.alloc(33, 1).toString("base64")),
    (each: Record<string, string>) => (each["s"] = ""),
    (each: Record<string, string>) => delete each["nonce"],
    (each: Record<string, string>) => (each["nonce"] += "AA=="),
  ]) {
    const call = attest(
      external,
      payload,
      changed((each) => void change(each)),
    );
    await assert.rejects(call, REFUSED, change.toString());
  }
  // Leading zeros, and none, are the same number: Go leaves them out.
  await attest(
    external,
    payload,
    changed((each) => {
      const digits = Buffer.from(each["r"] ?? "", "base64");
      each["r"] = Buffer.concat([Buffer.alloc(4), digits]).toString("base64");
    }),
  );
});

test("whatever bytes come as evidence or as an answer are refused, never thrown on", async () => {
  const der = Buffer.from(machine().der).toString("base64");
  const texts = [
    "",
    "null",
    "[]",
    "{}",
    '{"certificates":null}',
    '{"certificates":[]}',
    '{"certificates":[1]}',
    '{"certificates":[""]}',
    '{"certificates":["!!!!"]}',
    '{"certificates":["AAAA"]}',
    '{"__proto__":{"certificates":["AAAA"]}}',
    `{"certificates":${JSON.stringify(Array.from({ length: 11 }, () => der))}}`,
    `{"certificates":["${"A".repeat(200_000)}"]}`,
    "[".repeat(50_000),
  ];
  for (const text of texts) {
    const payload = Buffer.from(text);
    await assert.rejects(
      attest(external, payload, () => payload),
      REFUSED,
      text.slice(0, 40),
    );
  }
  await assert.rejects(
    attest(external, Uint8Array.of(0xff, 0xfe), (c) => c),
    REFUSED,
  );
  const good = (await evidenceOf(machine())).payload;
  const nonce = Buffer.alloc(32).toString("base64");
  for (const text of [
    ...texts,
    JSON.stringify({ rsa_signature: { nonce, signature: "AAAA" }, ecdsa_signature: { nonce } }),
    JSON.stringify({ rsa_signature: { nonce, signature: "AAAA" } }),
    JSON.stringify({ ecdsa_signature: { nonce, r: "AAAA", s: "AAAA" } }),
  ]) {
    await assert.rejects(
      attest(external, good, () => Buffer.from(text)),
      REFUSED,
    );
  }
});

function by(agentPathTemplate: string): NodeAttestor {
  const authorities = authoritiesOf(root);
  return createX509popAttestor({ mode: "external_pki", authorities }, { agentPathTemplate });
}

test("a template takes facts of the certificate, one segment each; what does not fit is refused", async () => {
  const named = by("/{{ .PluginName }}/{{.Subject.CommonName}}/{{ .SerialNumberHex }}");
  const leaf = machine({ serial: Uint8Array.of(7) });
  assert.equal((await prove(named, leaf)).path, "/x509pop/web-1/07");
  for (const commonName of ["a/b", "..", ".", "a b", "ä", ""]) {
    await assert.rejects(prove(named, machine({ commonName })), REFUSED, commonName);
  }
  for (const bad of [
    "",
    "/",
    "a//b",
    "{{ .Other }}",
    "{{ .Fingerprint | upper }}",
    "/a/{{",
    "a b",
  ]) {
    assert.throws(() => by(bad), { code: "NODE_ATTESTOR_MISCONFIGURED" }, bad);
  }
  assert.throws(() => by("/{{ .SVIDPathTrimmed }}"), { code: "NODE_ATTESTOR_MISCONFIGURED" });
  assert.throws(() => createX509popAttestor({ mode: "spiffe", svidPrefix: "a b" }), {
    code: "NODE_ATTESTOR_MISCONFIGURED",
  });
});

test("authorities are read again when their file changes; a broken file leaves the last good ones", async () => {
  using files = folder();
  const path = files.file("ca.pem", root.pem);
  const events: string[] = [];
  const log = ({ event }: { readonly event: string }): void => void events.push(event);
  const authorities = await openAuthorityFiles([path], { log });
  assert.equal((await authorities.current()).length, 1);
  files.file("ca.pem", root.pem + svidRoot.pem);
  assert.equal((await authorities.current()).length, 2);
  files.file("ca.pem", "broken");
  assert.equal((await authorities.current()).length, 2);
  assert.equal((await authorities.current()).length, 2);
  rmSync(path);
  assert.equal((await authorities.current()).length, 2);
  files.file("ca.pem", root.pem);
  assert.equal((await authorities.current()).length, 1);
  assert.deepEqual(events, [
    "x509pop.authorities_read",
    "x509pop.authorities_unreadable",
    "x509pop.authorities_unreadable",
    "x509pop.authorities_read",
  ]);
  const wrong = [[], [join("/tmp", "bf-none.pem")], [files.file("leaf.pem", machine().pem)]];
  for (const paths of wrong) {
    await assert.rejects(openAuthorityFiles(paths, { log: silentLog }), {
      code: "NODE_ATTESTOR_MISCONFIGURED",
    });
  }
});

test("a node whose key does not fit its certificate, or that is asked for another kind, says so", async () => {
  using files = folder();
  const leaf = machine();
  const prover = proverOf(files, leaf);
  const signal = new AbortController().signal;
  const { answer } = await prover.begin({ signal });
  const nonce = Buffer.alloc(32).toString("base64");
  for (const challenge of [
    { rsa_signature: { nonce } },
    { ecdsa_signature: { nonce: "AAAA" } },
    { ecdsa_signature: { nonce }, rsa_signature: { nonce } },
    {},
  ]) {
    await assert.rejects(answer(Buffer.from(JSON.stringify(challenge))), {
      code: "NODE_CHALLENGE_INVALID",
    });
  }
  files.file("cert.pem", machine().pem);
  await assert.rejects(prover.begin({ signal }), { code: "NODE_ATTESTOR_MISCONFIGURED" });
  files.file("key.pem", "secret text that is no key");
  await assert.rejects(prover.begin({ signal }), (error) => {
    assert.ok(isBonafideError(error, "NODE_ATTESTOR_MISCONFIGURED"));
    return !error.message.includes("secret");
  });
});
