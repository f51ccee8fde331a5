import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";

/** A property whose value only the real update will know. */
export class Unknown {
  readonly unknown = true;
}

/** A property whose value must stay encrypted in the state. */
export class Secret {
  constructor(readonly value: Value) {}
}

export type Value = null | boolean | number | string | Value[] | ValueMap | Unknown | Secret;
export interface ValueMap {
  [key: string]: Value;
}

/** The same with every text in Unicode's composed form (NFC). */
export function composed(map: ValueMap): ValueMap {
  const inner = (value: Value): Value => {
    if (typeof value === "string") return value.normalize("NFC");
    if (Array.isArray(value)) return value.map(inner);
    if (value instanceof Secret) return new Secret(inner(value.value));
    return isMap(value) ? composed(value) : value;
  };
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, inner(value)]));
}

// The wire form of the two, as the engine's sdk/go/common/resource defines it.
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknownTexts = new Set([
  unknownText,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // bool
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Reads a property bag from its wire form. Throws on assets, archives and resource references. */
export function decode(struct: Struct | undefined): ValueMap {
  return struct === undefined ? {} : decodeMap(struct.toJavaScript());
}

/** Writes a property bag in its wire form. */
export function encode(map: ValueMap): Struct {
  return Struct.fromJavaScript(encodeMap(map));
}

function decodeMap(map: Record<string, JavaScriptValue>): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, decodeValue(value)]));
}

function decodeValue(value: JavaScriptValue): Value {
  if (typeof value === "string") return unknownTexts.has(value) ? new Unknown() : value;
  if (Array.isArray(value)) return value.map(decodeValue);
  if (value === null || typeof value !== "object") return value;
  const map = value as Record<string, JavaScriptValue>;
  if (!(signature in map)) return decodeMap(map);
  if (map[signature] === secretSignature) return new Secret(decodeValue(map["value"] ?? null));
  throw new Error("assets, archives and resource references are not implemented by the stand-in");
}

function encodeMap(map: ValueMap): Record<string, JavaScriptValue> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, encodeValue(value)]));
}

function encodeValue(value: Value): JavaScriptValue {
  if (value instanceof Unknown) return unknownText;
  if (value instanceof Secret) return { [signature]: secretSignature, value: encodeValue(value.value) };
  if (Array.isArray(value)) return value.map(encodeValue);
  return isMap(value) ? encodeMap(value) : value;
}

/** Whether the value is a map of properties, and not one of the special values. */
export function isMap(value: Value | undefined): value is ValueMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown) &&
    !(value instanceof Secret)
  );
}

/** The value itself, without the mark that it is secret, at every depth. */
export function reveal<T extends Value>(value: T): T;
export function reveal(value: Value): Value {
  if (value instanceof Secret) return reveal(value.value);
  if (Array.isArray(value)) return value.map((element) => reveal(element));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, reveal(element)]));
}

/** Whether the real update may find another value here, at any depth. */
export function hasUnknown(value: Value | undefined): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret) return hasUnknown(value.value);
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isMap(value) && Object.values(value).some(hasUnknown);
}

/** Deep equality. An unknown equals nothing, and a secret only a secret. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Unknown || b instanceof Unknown) return false;
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && equal(a.value, b.value);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => equal(element, b[index]));
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
    );
  }
  return a === b;
}

/** The bag without nulls at the top: a program's `undefined` inputs arrive so. */
export function withoutNulls(map: ValueMap): ValueMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}
