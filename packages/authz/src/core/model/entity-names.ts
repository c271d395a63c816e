import { EntityUid } from "../engine/values.ts";

/** The entity types of {@link BASE_SCHEMA}, without their namespace. */
export type EntityType =
  | "TrustDomain"
  | "IdPath"
  | "Team"
  | "Workload"
  | "Group"
  | "User"
  | "Device"
  | "Tag"
  | "Service"
  | "Route"
  | "Table"
  | "Topic";

/** What a resource of one type can have done to it. */
export const ACTIONS = {
  Route: [
    "http.GET",
    "http.HEAD",
    "http.POST",
    "http.PUT",
    "http.PATCH",
    "http.DELETE",
    "grpc.call",
  ],
  Table: ["db.select", "db.write"],
  Topic: ["topic.consume", "topic.publish"],
  Service: ["net.connect"],
} as const;

/** An action of {@link BASE_SCHEMA}. */
export type ActionName = (typeof ACTIONS)[keyof typeof ACTIONS][number];

/** The group of actions that an action belongs to. */
export const ACTION_GROUPS: Readonly<Partial<Record<ActionName, "read" | "write">>> = {
  "http.GET": "read",
  "http.HEAD": "read",
  "db.select": "read",
  "topic.consume": "read",
  "http.POST": "write",
  "http.PUT": "write",
  "http.PATCH": "write",
  "http.DELETE": "write",
  "db.write": "write",
  "topic.publish": "write",
};

const ACTION_NAMES: readonly string[] = Object.values(ACTIONS).flat();

/** Whether a text is an action of {@link BASE_SCHEMA}. */
export function isActionName(text: string): text is ActionName {
  return ACTION_NAMES.includes(text);
}

/** Names an entity of the access model, such as `BF::Service::"payments"`. */
export function entityOf(type: EntityType, id: string): EntityUid {
  return new EntityUid(`BF::${type}`, id);
}

/** Names an action or a group of actions. */
export function actionOf(name: ActionName | "read" | "write" | "admin"): EntityUid {
  return new EntityUid("BF::Action", name);
}
