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
 *   they are to be answered.
 */
export function jsonWriter<S extends z.ZodType>(schema: S): JsonWriter<S> {
  return writerOf(schema) as JsonWriter<S>;
}

interface JsonWriter<S extends z.ZodType> {
  (value: ModelOf<S>): z.output<S>;
  <M extends Partial<z.output<S>>>(value: Plain<Omit<z.output<S>, keyof M>>, more: M): z.output<S>;
}

/** A moment as the API writes it: ISO 8601 in UTC, or null where there is none. */
export function isoTime(atMs: number): z.output<typeof TimeSchema>;
export function isoTime(atMs: number | null): z.output<typeof TimeSchema> | null;
export function isoTime(atMs: number | null): string | null {
  if (atMs === null || !Number.isFinite(atMs)) return null;
  const known = written.get(atMs);
  if (known !== undefined) return known;
  if (written.size >= MAX_WRITTEN) written.clear();
  const text = new Date(atMs).toISOString();
  written.set(atMs, text);
  return text;
}

/** A tick's times are those of a thousand rows, and writing one takes longer than the rest of its row. */
const written = new Map<number, string>();
const MAX_WRITTEN = 1_000;

type Write = (value: never, more?: Fields) => unknown;
type Fields = Readonly<Record<string, unknown>>;

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

function objectWriter(shape: z.core.$ZodShape): Write {
  const fields = Object.entries(shape).map(([name, schema]) => ({
    name,
    source: isTime(schema) ? `${name}Ms` : name,
    write: writerOf(schema) as (value: unknown) => unknown,
  }));
  return (value: Fields, more?: Fields) => {
    const written: Record<string, unknown> = {};
    for (const { name, source, write } of fields)
      written[name] = more !== undefined && name in more ? more[name] : write(value[source]);
    return written;
  };
}

function isTime(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'nullable' || def.type === 'optional'
    ? isTime(def.innerType)
    : schema instanceof z.ZodISODateTime;
}
