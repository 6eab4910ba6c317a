import { z } from 'zod';

/**
 * One zod schema says what a resource is, and both sides come from it: the type that the console works with (`ModelOf`) and
 * what the API answers (`z.output`). They differ in times alone: `readAt` of an answer, ISO 8601 in UTC, is `readAtMs`
 * inside. Schemas stand beside their types; what an answer has beyond the type is added where it is answered.
 */
export const TimeSchema = z.iso.datetime().brand<'time'>();

type IsoTime = z.output<typeof TimeSchema>;

/** The type of the model that a schema stands for: read-only, with times in ms since 1970. */
export type ModelOf<S extends z.ZodType> = Plain<z.output<S>>;

type Plain<T> = T extends IsoTime
  ? number
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [Key in keyof T as NameOf<Key, T[Key]>]: Plain<Exclude<T[Key], undefined>> }
      : T;

type NameOf<Key, Value> = [NonNullable<Value>] extends [never]
  ? Key
  : [NonNullable<Value>] extends [IsoTime]
    ? `${Key & string}Ms`
    : Key;

/**
 * Makes answers of one schema: takes the fields that the schema names and no other, and writes times. Values are trusted, as
 * the compiler has checked them.
 * @returns a function of what is to be written, and of `more`: fields of the answer that it has not, or has otherwise, as
 *   they are to be answered. One writer is always given the same ones.
 */
export function jsonWriter<S extends z.ZodType>(schema: S): JsonWriter<S> {
  let withMore: ReturnType<typeof objectWriter> | null = null;
  const write = writerOf(schema);
  const { def } = (schema as z.core.$ZodType as z.core.$ZodTypes)._zod;
  return ((value: never, more?: object) => {
    if (!more || def.type !== 'object') return write(value);
    withMore ??= objectWriter(def.shape, Object.keys(more));
    return withMore(value, more);
  }) as JsonWriter<S>;
}

export interface JsonWriter<S extends z.ZodType> {
  (value: ModelOf<S>): z.output<S>;
  <M extends Partial<z.output<S>>>(value: Plain<Omit<z.output<S>, keyof M>>, more: M): z.output<S>;
}

/** A moment as the API writes it: ISO 8601 in UTC, or null where there is none. */
export function isoTime(atMs: number): z.output<typeof TimeSchema>;
export function isoTime(atMs: number | null): z.output<typeof TimeSchema> | null;
export function isoTime(atMs: number | null): string | null {
  return atMs === null || !Number.isFinite(atMs) ? null : new Date(atMs).toISOString();
}

type Write = (value: never) => unknown;

const asIs: Write = (value) => value;

function writerOf(schema: z.core.$ZodType): Write {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object':
      return objectWriter(def.shape);
    case 'array': {
      const write = writerOf(def.element);
      return write === asIs ? asIs : (values: readonly never[]) => values.map((value) => write(value));
    }
    case 'nullable':
    case 'optional': {
      const write = writerOf(def.innerType);
      return write === asIs || write === (isoTime as Write)
        ? write
        : (value) => (value == null ? value : write(value));
    }
    default:
      return schema instanceof z.ZodISODateTime ? (isoTime as Write) : asIs;
  }
}

/**
 * As code, the way zod's own parsers are made: an object literal of fixed fields is written some twenty times as fast as one
 * that is put together key by key, and a list has a thousand queues of fifty fields.
 */
function objectWriter(shape: z.core.$ZodShape, given: readonly string[] = []) {
  const writers: Write[] = [];
  const fields = Object.entries(shape).map(([name, schema]) => {
    const key = JSON.stringify(name);
    if (given.includes(name)) return `${key}: more[${key}]`;
    const write = writerOf(schema);
    const value = `value[${isTime(schema) ? JSON.stringify(`${name}Ms`) : key}]`;
    if (write === asIs) return `${key}: ${value}`;
    writers.push(write);
    return `${key}: writers[${writers.length - 1}](${value})`;
  });
  const code = `return (value, more) => ({ ${fields.join(', ')} })`;
  return new Function('writers', code)(writers) as (value: never, more?: object) => unknown;
}

function isTime(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'nullable' || def.type === 'optional'
    ? isTime(def.innerType)
    : schema instanceof z.ZodISODateTime;
}
