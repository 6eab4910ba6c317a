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
