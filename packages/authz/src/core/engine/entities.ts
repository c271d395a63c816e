import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { ANCESTORS_MAX, ENTITIES_MAX } from "../../limits.ts";
import { isJsonArray, isJsonObject, parseRecord, readEntityUid } from "./json.ts";
import { CedarRecord, type EntityUid, type Value } from "./values.ts";

/** What is known of one entity. */
export interface Entity {
  readonly uid: EntityUid;
  /** Keys of all ancestors, near and far, without itself. */
  readonly ancestors: ReadonlySet<string>;
  readonly attributes: ReadonlyMap<string, Value>;
  readonly tags: ReadonlyMap<string, Value>;
}

/** An entity before its far ancestors are known. */
export interface EntityInput {
  readonly uid: EntityUid;
  readonly parents: readonly EntityUid[];
  readonly attributes?: ReadonlyMap<string, Value>;
  readonly tags?: ReadonlyMap<string, Value>;
}

/** Where an evaluation finds entities. */
export interface EntitySource {
  /** The entity of this key, or `undefined`: it has then no ancestors, no attributes and no tags. */
  find(key: string): Entity | undefined;
}

const NONE: ReadonlyMap<string, Value> = new Map();

/** An immutable set of entities with their ancestors. */
export class EntityStore implements EntitySource {
  readonly #entities: ReadonlyMap<string, Entity>;
  readonly #below: EntitySource | undefined;

  private constructor(entities: ReadonlyMap<string, Entity>, below: EntitySource | undefined) {
    this.#entities = entities;
    this.#below = below;
  }

  /**
   * Makes a store.
   *
   * @param below  Entities beneath: they are found where the new ones are not, and pass their ancestors on. None of
   *   them gains an ancestor by the new ones.
   * @throws ENTITY_INVALID  an entity is given twice, is its own ancestor, has more than 256 ancestors, or there are
   *   too many entities
   */
  static of(inputs: Iterable<EntityInput>, below?: EntitySource): EntityStore {
    const given = new Map<string, EntityInput>();
    for (const input of inputs) {
      if (given.has(input.uid.key)) throw invalid(input.uid, "is given twice");
      given.set(input.uid.key, input);
      if (given.size > ENTITIES_MAX) throw invalid(input.uid, "is one entity too many");
    }
    const done = new Map<string, Entity>();
    for (const input of given.values()) settle(input, given, done, below);
    return new EntityStore(done, below);
  }

  /** Makes a store from Cedar's JSON form. @throws ENTITY_INVALID, VALUE_MALFORMED */
  static parse(json: unknown, below?: EntitySource): EntityStore {
    return EntityStore.of(parseEntities(json), below);
  }

  find(key: string): Entity | undefined {
    return this.#entities.get(key) ?? this.#below?.find(key);
  }

  /** All entities of this store, without those beneath. */
  entities(): Iterable<Entity> {
    return this.#entities.values();
  }
}

/** Reads entities from Cedar's JSON form. @throws ENTITY_INVALID, VALUE_MALFORMED */
export function parseEntities(json: unknown): readonly EntityInput[] {
  if (!isJsonArray(json)) throw new BonafideError(AUTHZ_ERRORS, "ENTITY_INVALID", "no list");
  return json.map((item) => {
    const uid = isJsonObject(item) ? readEntityUid(item["uid"]) : undefined;
    if (!isJsonObject(item) || uid === undefined) {
      throw new BonafideError(AUTHZ_ERRORS, "ENTITY_INVALID", "an entity has no uid");
    }
    const { attrs = {}, tags = {}, parents = [] } = item;
    if (!isJsonArray(parents)) throw invalid(uid, "has parents that are no list");
    return {
      uid,
      parents: parents.map((parent) => {
        const parentUid = readEntityUid(parent);
        if (parentUid === undefined) throw invalid(uid, "has a parent that is no entity");
        return parentUid;
      }),
      attributes: parseRecord(attrs).attributes,
      tags: parseRecord(tags).attributes,
    };
  });
}

/** Depth first without recursion: a chain of parents is as long as somebody makes it. */
function settle(
  start: EntityInput,
  given: ReadonlyMap<string, EntityInput>,
  done: Map<string, Entity>,
  below: EntitySource | undefined,
): void {
  const open = new Set<string>();
  const stack = [start];
  for (let input = stack.at(-1); input !== undefined; input = stack.at(-1)) {
    const { uid, parents } = input;
    if (done.has(uid.key)) {
      stack.pop();
      continue;
    }
    if (!open.has(uid.key)) {
      open.add(uid.key);
      const missing = parents
        .map((parent) => given.get(parent.key))
        .filter((parent) => parent !== undefined && !done.has(parent.uid.key));
      for (const parent of missing) {
        if (parent === undefined) continue;
        if (open.has(parent.uid.key)) throw invalid(parent.uid, "is its own ancestor");
        stack.push(parent);
      }
      if (missing.length > 0) continue;
    }
    stack.pop();
    done.set(uid.key, finish(input, done, below));
  }
}

function finish(
  { uid, parents, attributes = NONE, tags = NONE }: EntityInput,
  done: ReadonlyMap<string, Entity>,
  below: EntitySource | undefined,
): Entity {
  const ancestors = new Set<string>();
  for (const parent of parents) {
    ancestors.add(parent.key);
    const known = done.get(parent.key) ?? below?.find(parent.key);
    for (const far of known?.ancestors ?? []) ancestors.add(far);
  }
  if (ancestors.has(uid.key)) throw invalid(uid, "is its own ancestor");
  if (ancestors.size > ANCESTORS_MAX) throw invalid(uid, "has too many ancestors");
  return { uid, ancestors, attributes, tags };
}

function invalid(uid: EntityUid, fault: string): BonafideError {
  const entity = uid.key.slice(0, 200);
  return new BonafideError(AUTHZ_ERRORS, "ENTITY_INVALID", `${entity} ${fault}`, {
    details: { entity },
  });
}

/** A record of nothing. */
export const EMPTY_RECORD: CedarRecord = new CedarRecord(NONE);
