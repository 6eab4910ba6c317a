import { ReplayBodySchema } from '../api/replay-schemas.js';

/** What was typed into the form of a replay, as the API would be asked. `problems` is empty where it fits. */
export type ReplayAsk =
  | { readonly body: ReturnType<typeof ReplayBodySchema.parse>; readonly problems: readonly [] }
  | { readonly body: null; readonly problems: readonly string[] };

/** Reads the form. A time is UTC unless it says otherwise. */
export function askOfReplay(values: Readonly<Record<string, string>>): ReplayAsk {
  const text = (name: string): string | undefined => {
    const typed = values[name]?.trim() ?? '';
    return typed === '' ? undefined : typed;
  };
  const number = (name: string): number | undefined => {
    const typed = text(name);
    return typed === undefined ? undefined : Number(typed);
  };
  const queues = text('queues') ?? '';
  const isGlob = /[*?]/.test(queues);
  const dataPath = text('dataPath');
  const filter = {
    jobTypes: values.jobTypes?.split(/\r?\n/).filter((name) => name.trim() !== ''),
    errorText: text('errorText'),
    fromMs: timeOf(text('from_time')),
    toMs: timeOf(text('to_time')),
    attemptsMin: number('attemptsMin'),
    attemptsMax: number('attemptsMax'),
    dataField:
      dataPath === undefined ? undefined : { path: dataPath, equals: typedValue(values.dataEquals ?? '') },
  };
  const parsed = ReplayBodySchema.safeParse({
    instance: text('instance'),
    queues: isGlob ? [] : queues.split(/\s+/).filter((name) => name !== ''),
    match: isGlob ? queues : undefined,
    from: text('from'),
    filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    order: text('order'),
    ratePerSecond: number('ratePerSecond'),
    mostInFlight: number('mostInFlight') ?? null,
    guard: values.guard === 'on',
    resetAttempts: values.resetAttempts === 'on',
    reason: values.reason ?? '',
  });
  if (parsed.success) return { body: parsed.data, problems: [] };
  return {
    body: null,
    problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  };
}

function timeOf(typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  return Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(typed) ? typed : `${typed}Z`);
}

/** `42`, `true` and `null` are what they look like; a number in quotes is a text. */
function typedValue(typed: string): string | number | boolean | null {
  try {
    const value: unknown = JSON.parse(typed);
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as string;
  } catch {
    // Not JSON: a text.
  }
  return typed;
}
