import { z } from 'zod';
import type { RegisteredAction } from '../../actions/action.js';

/** One argument of an action as a form can ask for it: read from the action's own schema, so that a new action has a form at once. */
export interface ArgSpec {
  readonly name: string;
  readonly kind: 'number' | 'bytes' | 'duration' | 'choice' | 'flag' | 'text' | 'json';
  readonly isNullable: boolean;
  readonly choices: readonly string[];
  readonly defaultValue: unknown;
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

export function argSpecs(action: RegisteredAction): readonly ArgSpec[] {
  const schema = z.toJSONSchema(action.schema, { io: 'input' }) as JsonSchema;
  return Object.entries(schema.properties ?? {}).map(([name, property]) => specOf(name, property));
}

function specOf(name: string, property: JsonSchema): ArgSpec {
  const parts = property.anyOf ?? [property];
  const main = parts.find((part) => part.type !== 'null') ?? property;
  return {
    name,
    kind: kindOf(name, main),
    isNullable: parts.some((part) => part.type === 'null'),
    choices: (main.enum ?? []).map(String),
    defaultValue: property.default,
  };
}

/** Units stand at the end of names all over the project, so a form can tell them from the name. */
function kindOf(name: string, schema: JsonSchema): ArgSpec['kind'] {
  if (schema.enum) return 'choice';
  if (schema.type === 'boolean') return 'flag';
  if (schema.type === 'string') return 'text';
  // Steps, which nobody types.
  if (schema.type === 'array' || schema.type === 'object') return 'json';
  // A moment, not how long.
  if (name === 'untilMs') return 'number';
  if (name.endsWith('Bytes')) return 'bytes';
  return name.endsWith('Ms') ? 'duration' : 'number';
}

interface Unit {
  readonly value: string;
  readonly label: string;
  readonly factor: number;
}

const MB = 1024 * 1024;
export const UNITS: Readonly<Partial<Record<ArgSpec['kind'], readonly Unit[]>>> = {
  bytes: [
    { value: 'MB', label: 'MB', factor: MB },
    { value: 'GB', label: 'GB', factor: 1024 * MB },
  ],
  duration: [
    { value: 'ms', label: 'milliseconds', factor: 1 },
    { value: 's', label: 'seconds', factor: 1000 },
    { value: 'min', label: 'minutes', factor: 60_000 },
    { value: 'h', label: 'hours', factor: 3_600_000 },
    { value: 'd', label: 'days', factor: 86_400_000 },
  ],
};

/** What stands in the boxes of one argument. */
export interface Typed {
  readonly text: string;
  readonly unit: string;
  readonly isNone: boolean;
}

/** The boxes for a value that is known. */
export function typedOf(spec: ArgSpec, value: unknown): Typed {
  const units = UNITS[spec.kind] ?? [];
  const fallback = units.find((unit) => unit.value === 's') ?? units[0];
  if (value === null) return { text: '', unit: fallback?.value ?? '', isNone: true };
  if (typeof value !== 'number') {
    const text = value === undefined ? '' : spec.kind === 'json' ? JSON.stringify(value) : String(value);
    return { text, unit: fallback?.value ?? '', isNone: false };
  }
  // The largest unit in which it is a whole number, else the smallest.
  const unit =
    units.findLast(({ factor }) => value > 0 && value % factor === 0) ?? (value > 0 ? units[0] : fallback);
  if (!unit) return { text: String(value), unit: '', isNone: false };
  return { text: String(Math.round((value / unit.factor) * 100) / 100), unit: unit.value, isNone: false };
}

/** The value that was typed; what is no number stays text, so that the action's schema says what is wrong with it. */
export function valueTyped(spec: ArgSpec, typed: Typed): unknown {
  if (spec.isNullable && typed.isNone) return null;
  const text = typed.text.trim();
  if (spec.kind === 'flag') return text === 'true' || text === 'on';
  if (spec.kind === 'choice' || spec.kind === 'text') return text === '' ? undefined : text;
  if (text === '') return undefined;
  if (spec.kind === 'json') return parsed(text);
  const number = Number(text.replace(/[,_\s]/g, ''));
  if (!Number.isFinite(number)) return text;
  const factor = UNITS[spec.kind]?.find((unit) => unit.value === typed.unit)?.factor ?? 1;
  return spec.kind === 'number' ? number : Math.round(number * factor);
}

/** What is no JSON stays text, which the action's schema refuses. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** How an argument is asked for. What stands in no list is asked for by its own name, so a new action works without. */
interface ArgWords {
  readonly label: string;
  readonly hint: string;
  readonly noneLabel?: string;
  readonly choices?: Readonly<Record<string, string>>;
  /** Not for people: carried along. */
  readonly isHidden?: boolean;
}

/** What undo gives, so that what it brings back ends when it would have. */
const UNTIL_MS = { label: 'Until', hint: '', isHidden: true };
const FOR_MS: ArgWords = { label: 'Expires', hint: '' };

const WORDS: Readonly<Record<string, ArgWords>> = {
  'queue.concurrency value': {
    label: 'Jobs at once, over all workers',
    hint: 'Workers’ own concurrency still counts. To stop the queue, pause it instead.',
    noneLabel: 'No global limit',
  },
  'queue.park jobType': { label: 'Job type (empty: all)', hint: '' },
  'queue.park state': {
    label: 'Jobs that are',
    hint: '',
    choices: { all: 'waiting, prioritized or delayed' },
  },
  'queue.park most': { label: 'At most (empty: all)', hint: '' },
  'queue.unpark parking': { label: 'Parking', hint: '', isHidden: true },
  'queue.unpark ratePerSecond': {
    label: 'Max rate, jobs/s',
    hint: 'Empty: 1,000, or as fast as it goes without auto-throttle.',
  },
  'queue.unpark guard': { label: 'Auto-throttle', hint: 'Slows down by itself when live jobs suffer.' },
  'queue.rate-limit max': {
    label: 'Jobs that may start',
    hint: 'Over all workers together.',
    noneLabel: 'No global limit',
  },
  'queue.rate-limit durationMs': { label: 'per', hint: 'Written in short windows of the same rate.' },
  'queue.rate-limit isExact': { label: 'Written as given', hint: '', isHidden: true },
  'queue.trim-events keep': { label: 'Newest entries to keep', hint: 'Of each queue’s events stream.' },
  'queue.clean-finished state': {
    label: 'Which jobs',
    hint: '',
    choices: { completed: 'Completed', failed: 'Failed: they can’t be retried afterwards' },
  },
  'queue.clean-finished olderThanMs': { label: 'Finished longer ago than', hint: 'Empty: of any age.' },
  'queue.clean-finished keep': { label: 'Newest jobs to keep', hint: 'Of each queue. 0: none.' },
  'redis.raise-maxmemory maxBytes': {
    label: 'New maxmemory',
    hint: 'In force at once, on every master. A restart brings the configured value back.',
  },
  'sequence roomBytes': { label: 'Free memory that is enough', hint: '', isHidden: true },
  'workers.concurrency value': {
    label: 'Jobs at once, each worker',
    hint: 'In every running worker of the queue, and in those that start later.',
    noneLabel: 'As deployed',
  },
  'workers.concurrency factor': {
    label: 'Times what each was deployed with',
    hint: '2: twice as many slots.',
  },
  'workers.concurrency drainWithinSeconds': {
    label: 'Drain within, seconds',
    hint: 'As many slots as that takes, by what a job takes now.',
  },
  'workers.concurrency forMs': FOR_MS,
  'workers.concurrency untilMs': UNTIL_MS,
  'worker.concurrency value': {
    label: 'Jobs at once',
    hint: 'In this worker only. To stop it, pause it instead.',
    noneLabel: 'As deployed',
  },
  'worker.concurrency forMs': FOR_MS,
  'worker.concurrency untilMs': UNTIL_MS,
  'worker.pause forMs': FOR_MS,
  'worker.pause untilMs': UNTIL_MS,
  'worker.limiter max': {
    label: 'Jobs that may start',
    hint: 'Counted over all workers of the queue; this one stops when they have started so many.',
    noneLabel: 'No limiter of its own',
  },
  'worker.limiter durationMs': { label: 'per', hint: '' },
  'worker.limiter asDeployed': { label: 'As deployed', hint: '', isHidden: true },
  'worker.limiter forMs': FOR_MS,
  'worker.limiter untilMs': UNTIL_MS,
  'jobtype.threshold type': { label: 'Job type', hint: '', isHidden: true },
  'jobtype.threshold slowThresholdMs': {
    label: 'Slow from a run time of',
    hint: '',
    noneLabel: 'No threshold',
  },
  'job.remove removeChildren': { label: 'Remove its child jobs too', hint: '' },
};

export function argWords(action: string, arg: string): ArgWords {
  const known = WORDS[`${action} ${arg}`];
  if (known) return known;
  const words = arg
    .replace(/(Ms|Bytes)$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return { label: words.charAt(0).toUpperCase() + words.slice(1), hint: '', noneLabel: 'None' };
}
