import { createHash } from 'node:crypto';
import { z } from 'zod';
import { jobTypeOf } from '../../../agent/job-type-of.js';
import { PARKABLE_STATES, type Parking } from '../../model/parking.js';
import type { ParkedJob, StoredJob } from './parking.js';

/** Texts in one piece: how many, then each with its length before it, as 32-bit big-endian numbers. */
export function packFields(fields: readonly Buffer[]): Buffer {
  const packed = Buffer.allocUnsafe(fields.reduce((sum, field) => sum + 4 + field.length, 4));
  let at = packed.writeUInt32BE(fields.length, 0);
  for (const field of fields) {
    at = packed.writeUInt32BE(field.length, at);
    at += field.copy(packed, at);
  }
  return packed;
}

/** The way back. @throws RangeError for what packFields did not make. */
export function unpackFields(packed: Buffer): readonly Buffer[] {
  const count = packed.readUInt32BE(0);
  const fields: Buffer[] = [];
  let at = 4;
  for (let i = 0; i < count; i++) {
    const length = packed.readUInt32BE(at);
    at += 4;
    if (at + length > packed.length) throw new RangeError('a parked job is cut short on disk');
    fields.push(packed.subarray(at, at + length));
    at += length;
  }
  return fields;
}

/** SHA-1 of lengths and values, as remove-jobs.lua works it out in Redis. @param fields field, value, … */
export function digestOfLines(fields: readonly Buffer[]): string {
  const hash = createHash('sha1');
  for (let i = 1; i < fields.length; i += 2) {
    const value = fields[i] ?? Buffer.alloc(0);
    hash.update(`${value.length}:`).update(value);
  }
  return hash.digest('hex');
}

/** Text where it is UTF-8, else Base64 in an object: so a line is readable and loses no byte. */
const textSchema = z.union([
  z.string(),
  // Not z.base64(): its expression steps back over the whole of a text of megabytes.
  z.strictObject({
    base64: z
      .string()
      .refine((text) => text.length % 4 === 0 && !/[^A-Za-z0-9+/=]/.test(text), 'must be Base64'),
  }),
]);
type Text = z.infer<typeof textSchema>;

const headSchema = z.strictObject({
  spillway: z.literal('parking', 'must be an export of parked jobs'),
  version: z.literal(1, 'must be 1'),
  instance: z.string().min(1),
  queue: z.string().min(1).max(2_000),
  states: z.array(z.enum(PARKABLE_STATES)),
  jobTypes: z.array(z.string().overwrite(jobTypeOf)).nullable(),
  reason: z.string().max(2_000),
});
type ExportHead = z.infer<typeof headSchema>;

const jobSchema = z.strictObject({
  id: textSchema,
  state: z.enum(PARKABLE_STATES),
  score: z.string().regex(/^(-?\d+(\.\d+)?(e[+-]?\d+)?)?$/i, 'must be a number'),
  bytes: z.int().min(0),
  fields: z
    .array(z.tuple([textSchema, textSchema]))
    .min(1)
    .max(64),
});

/** The first line of an export. */
export function headLine({ instance, queue, states, jobTypes, reason }: Parking): string {
  const head: ExportHead = {
    spillway: 'parking',
    version: 1,
    instance,
    queue,
    states: [...states],
    jobTypes: jobTypes === null ? null : [...jobTypes],
    reason,
  };
  return `${JSON.stringify(head)}\n`;
}

/** One job as a line. */
export function jobLine(job: StoredJob | ParkedJob): string {
  const fields: [Text, Text][] = [];
  for (let i = 0; i + 1 < job.fields.length; i += 2)
    fields.push([textOf(job.fields[i]), textOf(job.fields[i + 1])]);
  return `${JSON.stringify({ id: textOf(job.jobId), state: job.place, score: job.score, bytes: job.bytes, fields })}\n`;
}

/** @throws Error saying what is wrong with it. */
export function parseHead(line: string): ExportHead {
  return parsed(headSchema, line);
}

/** @throws Error saying what is wrong with it. */
export function parseJob(line: string): ParkedJob {
  const { id, state, score, bytes, fields } = parsed(jobSchema, line);
  if (state !== 'waiting' && score === '') throw new Error('score: a delayed or prioritized job has one');
  const jobId = bytesOf(id);
  if (jobId.length === 0) throw new Error('id: must not be empty');
  const name = fields.find(([field]) => field === 'name')?.[1];
  return {
    jobId,
    name: name === undefined ? '' : jobTypeOf(bytesOf(name).toString('utf8')),
    place: state,
    score,
    bytes,
    fields: fields.flatMap(([field, value]) => [bytesOf(field), bytesOf(value)]),
  };
}

/** Reading millions of values takes seconds, in which nothing else is served; neither a job nor a head has as many. */
const MAX_VALUES = 10_000;

/** Told without reading it: every value but the first of a list or object comes after a comma outside of texts. */
function holdsTooMuch(line: string): boolean {
  if (line.length <= MAX_VALUES) return false;
  let values = 0;
  let isInText = false;
  for (let i = 0; i < line.length && values <= MAX_VALUES; i += 1) {
    const character = line.charCodeAt(i);
    if (character === QUOTE) isInText = !isInText;
    else if (isInText) {
      if (character === BACKSLASH) i += 1;
    } else if (character === COMMA || character === BRACKET || character === BRACE) values += 1;
  }
  return values > MAX_VALUES;
}
const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [34, 92, 44, 91, 123];

function parsed<S extends z.ZodType>(schema: S, line: string): z.infer<S> {
  if (holdsTooMuch(line)) throw new Error(`holds more than ${MAX_VALUES} values`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('is not JSON');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') || 'line'}: ${issue?.message ?? 'is not right'}`);
}

function textOf(bytes: Buffer | undefined): Text {
  const text = (bytes ?? Buffer.alloc(0)).toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes ?? Buffer.alloc(0))
    ? text
    : { base64: (bytes ?? Buffer.alloc(0)).toString('base64') };
}

function bytesOf(text: Text): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'utf8') : Buffer.from(text.base64, 'base64');
}
