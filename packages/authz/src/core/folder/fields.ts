import { isJsonArray, isJsonObject, type JsonObject } from "../engine/json.ts";

/** Takes the fields of an object read from YAML, and tells what is wrong with them. */
export class Fields {
  readonly #json: JsonObject;
  readonly #known = new Set<string>();
  readonly #report: (reason: string, part: string) => void;

  /** @param report  Told what is wrong, and a text to find the line by. */
  constructor(json: unknown, report: (reason: string, part: string) => void) {
    this.#report = report;
    this.#json = isJsonObject(json) ? json : {};
    if (!isJsonObject(json)) report("fields with values are wanted here", "");
  }

  /** A text; reported if it is missing or something else. */
  text(name: string): string {
    const value = this.#take(name);
    if (typeof value === "string") return value;
    this.#report(`${name} is not a text`, name);
    return "";
  }

  /** A text that may be missing. */
  optionalText(name: string): string | undefined {
    return this.#take(name) === undefined ? undefined : this.text(name);
  }

  /** A whole number within the safe range, not below zero. */
  count(name: string): number {
    const value = this.#take(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    this.#report(`${name} is not a whole number`, name);
    return 0;
  }

  /** A yes or no. */
  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value === "boolean") return value;
    this.#report(`${name} is neither true nor false`, name);
    return false;
  }

  /** A list of texts; empty if it is missing. */
  texts(name: string): readonly string[] {
    return this.list(name).filter((item) => {
      if (typeof item !== "string") this.#report(`${name} holds something that is no text`, name);
      return typeof item === "string";
    });
  }

  /** A list of anything; empty if it is missing. */
  list(name: string): readonly unknown[] {
    const value = this.#take(name) ?? [];
    if (isJsonArray(value)) return value;
    this.#report(`${name} is not a list`, name);
    return [];
  }

  /** Named parts; none if it is missing. */
  parts(name: string): readonly (readonly [string, unknown])[] {
    const value = this.#take(name) ?? {};
    if (isJsonObject(value)) return Object.entries(value);
    this.#report(`${name} does not hold names with values`, name);
    return [];
  }

  /** Fields of an object inside; `undefined` if it is missing. */
  inner(name: string): Fields | undefined {
    const value = this.#take(name);
    return value === undefined ? undefined : new Fields(value, this.#report);
  }

  /** Whether a field is there, and no null. */
  has(name: string): boolean {
    return this.#take(name) !== undefined;
  }

  /** Reports something else that is wrong, with a text to find the line by. */
  refuse(reason: string, part: string): void {
    this.#report(reason, part);
  }

  /** Reports fields that were never asked for. */
  end(): void {
    for (const name of Object.keys(this.#json)) {
      if (this.#known.has(name)) continue;
      this.#report(`${name} is not known here; known are ${[...this.#known].join(", ")}`, name);
    }
  }

  #take(name: string): unknown {
    this.#known.add(name);
    const value = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
    return value ?? undefined;
  }
}

/** The one of some texts that a text is; `undefined` if it is none of them. */
export function oneOf<T extends string>(names: readonly T[], text: string): T | undefined {
  return names.find((name) => name === text);
}
