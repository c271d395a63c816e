import { sign } from "node:crypto";
import type { MadeCertificate } from "@bonafide/pki/testing";
import * as fc from "fast-check";
import { type DerNode, readDer, writeDer } from "./der-tree.ts";
import type { DerChain } from "./judges.ts";

/** A sound chain with everything that its certificates can be signed anew with: leaf first, anchor last. */
export type MadeChain = readonly MadeCertificate[];

/** One change: which certificate, which of its elements, what is done. Numbers are taken modulo what there is. */
interface Edit {
  readonly certificate: number;
  readonly element: number;
  readonly value: number;
  readonly kind:
    | "bytes"
    | "remove"
    | "double"
    | "swap"
    | "tag"
    | "octet"
    | "cut"
    | "add"
    | "length"
    | "graft";
  /** Whether the certificate is signed again, as a careless or hostile authority would. */
  readonly isSigned: boolean;
}

/** What to do to one of several sound chains. */
export interface Mutation {
  readonly base: number;
  readonly edits: readonly Edit[];
  readonly order: "as it is" | "reversed" | "leaf twice" | "without the second" | "with the anchor";
}

const often = <T>(value: T, weight: number): fc.WeightedArbitrary<T> => ({
  weight,
  arbitrary: fc.constant(value),
});

const edit: fc.Arbitrary<Edit> = fc.record({
  certificate: fc.nat(7),
  element: fc.nat(9999),
  value: fc.nat(0xffff),
  kind: fc.constantFrom(
    "bytes",
    "remove",
    "double",
    "swap",
    "tag",
    "octet",
    "octet",
    "cut",
    "add",
    "length",
    "graft",
  ),
  isSigned: fc.oneof(often(true, 6), often(false, 1)),
});

/** Mutations of `bases` chains. */
export function mutations(bases: number): fc.Arbitrary<Mutation> {
  return fc.record({
    base: fc.nat(bases - 1),
    edits: fc.array(edit, { minLength: 0, maxLength: 3 }),
    order: fc.oneof(
      often<Mutation["order"]>("as it is", 12),
      often<Mutation["order"]>("reversed", 1),
      often<Mutation["order"]>("leaf twice", 1),
      often<Mutation["order"]>("without the second", 1),
      often<Mutation["order"]>("with the anchor", 1),
    ),
  });
}

/** Carries a mutation out. */
export function mutate(made: MadeChain, { edits, order }: Mutation): DerChain {
  const certificates = made.map(({ der }) => der);
  for (const each of edits) {
    const at = each.certificate % made.length;
    const der = certificates[at];
    const issuer = made[Math.min(at + 1, made.length - 1)];
    if (der === undefined || issuer === undefined) continue;
    const donor = certificates[(at + 1) % made.length] ?? der;
    const changed = changeCertificate(der, donor, each);
    certificates[at] = each.isSigned ? signAgain(changed, issuer) : changed;
  }
  const anchor = certificates.at(-1) ?? new Uint8Array();
  const chain = certificates.slice(0, -1);
  return { chain: ordered(chain, anchor, order), anchors: [anchor] };
}

function ordered(
  chain: readonly Uint8Array[],
  anchor: Uint8Array,
  order: Mutation["order"],
): readonly Uint8Array[] {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return [];
  switch (order) {
    case "as it is":
      return chain;
    case "reversed":
      return [leaf, ...others.toReversed()];
    case "leaf twice":
      return [leaf, leaf, ...others];
    case "without the second":
      return [leaf, ...others.slice(1)];
    case "with the anchor":
      return [...chain, anchor];
    default:
      return order satisfies never;
  }
}

function changeCertificate(der: Uint8Array, donor: Uint8Array, change: Edit): Uint8Array {
  if (change.kind === "bytes") {
    const bytes = new Uint8Array(der);
    const at = change.element % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ (1 + (change.value % 255));
    return bytes;
  }
  const roots = readDer(der);
  const [root] = roots ?? [];
  if (root === undefined) return der;
  // Inside the signed part most of the time: what is outside is three elements.
  const target = change.element % countNodes(root);
  const graft = pick(readDer(donor)?.[0], change.value);
  return writeDer(editNode(root, { left: target }, change, graft));
}

function countNodes(node: DerNode): number {
  if (node.content instanceof Uint8Array) return 1;
  return node.content.reduce((sum, child) => sum + countNodes(child), 1);
}

function pick(node: DerNode | undefined, number: number): DerNode | undefined {
  if (node === undefined) return undefined;
  const all: DerNode[] = [];
  const walk = (each: DerNode): void => {
    all.push(each);
    if (!(each.content instanceof Uint8Array)) each.content.forEach(walk);
  };
  walk(node);
  return all[number % all.length];
}

/** Finds the element by its number in the order of writing, and changes it or its place among its siblings. */
function editNode(
  node: DerNode,
  counter: { left: number },
  change: Edit,
  graft: DerNode | undefined,
): DerNode {
  if (counter.left-- === 0) return changeNode(node, change, graft);
  if (node.content instanceof Uint8Array) return node;
  const children: DerNode[] = [];
  for (const child of node.content) {
    const isNext = counter.left === 0;
    const edited = editNode(child, counter, change, graft);
    if (!isNext) {
      children.push(edited);
      continue;
    }
    if (change.kind === "remove") continue;
    if (change.kind === "double") children.push(child, child);
    else if (change.kind === "swap") children.splice(Math.max(children.length - 1, 0), 0, child);
    else children.push(edited);
  }
  return { ...node, content: children };
}

function changeNode(node: DerNode, { kind, value }: Edit, graft: DerNode | undefined): DerNode {
  const { tag, content } = node;
  switch (kind) {
    case "tag":
      return { ...node, tag: value & 1 ? tag ^ (1 << (value % 8)) : (value >> 1) % 0x40 };
    case "length":
      return { ...node, isLengthLong: true };
    case "graft":
      return graft ?? node;
    case "octet":
    case "cut":
    case "add":
      return { tag, content: changeOctets(octetsOf(content), kind, value) };
    default:
      return node;
  }
}

function octetsOf(content: DerNode["content"]): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return new Uint8Array(Buffer.concat(content.map(writeDer)));
}

function changeOctets(
  octets: Uint8Array,
  kind: "octet" | "cut" | "add",
  value: number,
): Uint8Array {
  if (kind === "cut") return octets.slice(0, octets.length === 0 ? 0 : value % octets.length);
  if (kind === "add") return Uint8Array.of(...octets, value & 0xff);
  const changed = new Uint8Array(octets);
  const at = changed.length === 0 ? 0 : value % changed.length;
  if (changed.length > 0) changed[at] = (value >> 8) & 0xff;
  return changed;
}

/** Signs the signed part again, with the algorithm that stands in it, if it is still a certificate at all. */
function signAgain(der: Uint8Array, issuer: MadeCertificate): Uint8Array {
  const [root] = readDer(der) ?? [];
  if (root === undefined || root.content instanceof Uint8Array) return der;
  const [tbs, algorithm, , ...rest] = root.content;
  if (tbs === undefined || algorithm === undefined) return der;
  const signature = sign("sha256", writeDer(tbs), issuer.privateKey);
  const bits = { tag: 3, content: Uint8Array.of(0, ...signature) };
  return writeDer({ ...root, content: [tbs, algorithm, bits, ...rest] });
}
