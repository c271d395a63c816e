export {
  type Body,
  type BodyPart,
  commit,
  decodeBody,
  encodeBody,
  erasePart,
  partBytes,
  partHash,
  saltPart,
} from "./body.ts";
export { equalBytes, fromHex, toHex } from "./bytes.ts";
export { CompactRange } from "./compact-range.ts";
export { isDenial } from "./denial.ts";
export { LEDGER_ERRORS, type LedgerErrorCode } from "./errors.ts";
export { EXPORT_FORMAT, exportLines } from "./export-format.ts";
export { sha256 } from "./hash.ts";
export {
  type Kind,
  kindName,
  type KindNumber,
  KINDS,
  KNOWN_SCHEMAS,
  needsOf,
  understanding,
} from "./kinds.ts";
export { decodeLeaf, encodeLeaf, type Leaf } from "./leaf.ts";
export {
  EPOCH_MAX,
  HASH_BYTES,
  KEY_BYTES,
  LEAF_BYTES,
  N_MAX,
  NAMED_LEAVES_MAX,
  PART_BYTES_MAX,
  SALT_BYTES,
} from "./limits.ts";
export type { Actor, Meta, Settled } from "./meta.ts";
export { decodeMeta, encodeMeta } from "./meta-codec.ts";
export { decodeObject, encodeObject } from "./object-codec.ts";
export { objectKey, objectName } from "./object-key.ts";
export {
  type Abandoned,
  type AlarmObject,
  type AnyObject,
  type AuthorityObject,
  type BundleObject,
  type EntryObject,
  type EpochObject,
  type FederationObject,
  type Incarnation,
  isObjectKind,
  OBJECT_KINDS,
  type JoinTokenObject,
  type LedgerObject,
  naturalKeyOf,
  type NodeObject,
  type ObjectKind,
  type ObjectOf,
  type Selector,
  selectorText,
  type ServerObject,
  type SettingObject,
} from "./objects.ts";
export { columnsOf, columnsText, type ProjectionRow, type RowColumns } from "./project.ts";
export {
  type ConsistencyProof,
  consistencyPath,
  type InclusionProof,
  inclusionPath,
  type LeafRange,
  rangeHash,
  verifyConsistency,
  verifyInclusion,
} from "./proofs.ts";
export {
  comparePositions,
  flooredNumber,
  parseWireNumber,
  type Position,
  sameState,
  type StateName,
  wireNumber,
} from "./state-name.ts";
export {
  decompose,
  EMPTY_ROOT,
  isStoredLevel,
  leafHash,
  nodeHash,
  subtreeFrom,
  type SubtreeRef,
} from "./tree-hash.ts";
export {
  type Fault,
  type FaultCode,
  FAULTS_MAX,
  verifyLedger,
  type VerifyInput,
  type VerifyReport,
} from "./verify.ts";
