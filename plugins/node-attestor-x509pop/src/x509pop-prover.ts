import { createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { BonafideError } from "@bonafide/errors";
import {
  type Certificate,
  encodePublicKey,
  parseCertificatesPem,
  parsePrivateKeyPem,
} from "@bonafide/pki";
import { NODE_ATTESTOR_ERRORS, type NodeProof, type NodeProver } from "@bonafide/plugin-api";
import { FILE_BYTES_MAX, NONCE_BYTES } from "./limits.ts";
import { formatEvidence, formatResponse, parseChallenge } from "./messages.ts";
import { kindOf, prove } from "./proof.ts";
import { X509POP } from "./selectors.ts";

/** Options of {@link createX509popProver}. */
export interface X509popProverOptions {
  /** PEM of the node's private key, PKCS#8. */
  readonly privateKeyPath: string;
  /** PEM of its certificate, leaf first; further ones may follow. */
  readonly certificatePath: string;
  /** PEM of certificates between it and the authority. Default: none beyond those of `certificatePath`. */
  readonly intermediatesPath?: string;
}

/** The node's side of `x509pop`. Reads its files for each proof: what renews them needs not tell the agent. */
export function createX509popProver(options: X509popProverOptions): NodeProver {
  return {
    name: X509POP,
    async begin({ signal }): Promise<NodeProof> {
      const { chain, key } = await readIdentity(options, signal);
      return {
        payload: formatEvidence(chain.map(({ der }) => der)),
        async answer(bytes) {
          const challenge = parseChallenge(bytes);
          if (challenge === undefined) throw unanswerable("the challenge is malformed");
          if (challenge.kind !== kindOf(key)) {
            throw unanswerable("the challenge is for another kind of key");
          }
          const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
          return formatResponse(prove(key, challenge, nonce));
        },
      };
    },
  };
}

async function readIdentity(
  options: X509popProverOptions,
  signal: AbortSignal,
): Promise<{ readonly chain: readonly Certificate[]; readonly key: KeyObject }> {
  const { privateKeyPath, certificatePath, intermediatesPath } = options;
  const read = <T>(path: string, parse: (text: string) => T): Promise<T> =>
    readPem(path, parse, signal);
  const key = await read(privateKeyPath, parsePrivateKeyPem);
  const chain = [
    ...(await read(certificatePath, parseCertificatesPem)),
    ...(intermediatesPath === undefined ? [] : await read(intermediatesPath, parseCertificatesPem)),
  ];
  const [leaf] = chain;
  if (leaf === undefined) throw misconfigured(`${certificatePath}: no certificate`);
  const isItsKey = Buffer.from(encodePublicKey(createPublicKey(key))).equals(leaf.spki);
  if (!isItsKey) throw misconfigured(`${privateKeyPath}: not the key of ${certificatePath}`);
  if (kindOf(key) === undefined) throw misconfigured(`${privateKeyPath}: neither RSA nor ECDSA`);
  return { chain, key };
}

async function readPem<T>(
  path: string,
  parse: (text: string) => T,
  signal: AbortSignal,
): Promise<T> {
  try {
    if ((await stat(path)).size > FILE_BYTES_MAX) throw new Error("the file is too large");
    return parse(await readFile(path, { encoding: "latin1", signal }));
  } catch (cause) {
    signal.throwIfAborted();
    throw misconfigured(`${path}: ${cause instanceof Error ? cause.message : "unreadable"}`, cause);
  }
}

function misconfigured(message: string, cause?: unknown): BonafideError {
  return new BonafideError(NODE_ATTESTOR_ERRORS, "NODE_ATTESTOR_MISCONFIGURED", message, { cause });
}

function unanswerable(message: string): BonafideError {
  return new BonafideError(NODE_ATTESTOR_ERRORS, "NODE_CHALLENGE_INVALID", message);
}
