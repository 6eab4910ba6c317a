import type { RegisteredAction } from '../../actions/action.js';
import { ActionError } from '../../model/action.js';
import type { Finding } from '../../model/finding.js';
import { fullestNode } from '../../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import type { WorkerState } from '../../model/worker.js';
import { type ArgSpec, argSpecs, type Typed, typedOf, valueTyped } from './action-args.js';

/** What was asked for: by a button, a link or the drawer's form. */
export interface ActionAsk {
  readonly instance: string;
  readonly queues: readonly string[];
  readonly match: string | null;
  readonly jobId: string | null;
  readonly workers: readonly string[];
  readonly specs: readonly ArgSpec[];
  readonly typed: Readonly<Record<string, Typed>>;
  readonly reason: string;
  readonly confirm: string;
  /** An action's address to go on to afterwards. */
  readonly goOn: string | null;
}

type Values = ReadonlyMap<string, readonly string[]>;

const LONGEST = 500;

/** From an address: `args` as JSON, or what holds now where there are none. @throws ActionError for a broken address. */
export function askOfLink(
  action: RegisteredAction,
  values: Values,
  findings: readonly Finding[],
  holdsNow: (
    instance: string,
    queues: readonly string[],
    workers: readonly string[],
  ) => Readonly<Record<string, unknown>>,
): ActionAsk {
  const { instance, queues, workers } = targetOf(values, findings, action.name);
  const given = one(values, 'args');
  const args =
    given !== ''
      ? parseArgs(given)
      : (offeredArgs(values, findings, action.name) ?? holdsNow(instance, queues, workers));
  const specs = argSpecs(action);
  return {
    instance,
    queues,
    match: one(values, 'match') || null,
    jobId: one(values, 'jobId') || null,
    workers,
    specs,
    typed: Object.fromEntries(
      specs.map((spec) => [
        spec.name,
        typedOf(spec, spec.name in args ? args[spec.name] : spec.defaultValue),
      ]),
    ),
    reason: one(values, 'why').slice(0, LONGEST),
    confirm: '',
    goOn: safeAction(one(values, 'then')),
  };
}

/** From the drawer's form. */
export function askOfForm(action: RegisteredAction, values: Values): ActionAsk {
  const specs = argSpecs(action);
  return {
    instance: one(values, 'instance'),
    queues: queuesOf(values),
    match: one(values, 'match') || null,
    jobId: one(values, 'jobId') || null,
    workers: workersOf(values),
    specs,
    typed: Object.fromEntries(specs.map((spec) => [spec.name, typedIn(spec, values)])),
    reason: one(values, 'reason').slice(0, LONGEST),
    confirm: one(values, 'confirm').slice(0, LONGEST),
    goOn: safeAction(one(values, 'then')),
  };
}

/** The arguments that were typed; what is empty is left out, so that defaults hold. */
export function argsOf(ask: ActionAsk): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const spec of ask.specs) {
    const typed = ask.typed[spec.name];
    const value = typed ? valueTyped(spec, typed) : undefined;
    if (value !== undefined) args[spec.name] = value;
  }
  return args;
}

/** Too long for an address: they are in the finding, as long as it is there. null: none is named. */
function offeredArgs(
  values: Values,
  findings: readonly Finding[],
  action: string,
): Readonly<Record<string, unknown>> | null {
  const key = one(values, 'finding');
  const finding = findings.find((known) => known.key === key);
  return finding?.remedies.find((remedy) => remedy.action === action)?.args ?? null;
}

function typedIn(spec: ArgSpec, values: Values): Typed {
  const name = `arg.${spec.name}`;
  // Hidden texts come percent-encoded, because HTML turns every line end in a value into another.
  const text = one(values, name) || decoded(one(values, `${name}.encoded`));
  return {
    text: spec.kind === 'flag' ? String(text === 'on' || text === 'true') : text,
    unit: one(values, `${name}.unit`),
    isNone: one(values, `${name}.none`) === 'on',
  };
}

function targetOf(
  values: Values,
  findings: readonly Finding[],
  action: string,
): { readonly instance: string; readonly queues: readonly string[]; readonly workers: readonly string[] } {
  const picked = values.get('onWorker') ?? [];
  if (picked.length > 0) {
    const { instance, queues: workers } = targetOfSelection(picked, 'workers');
    return { instance, queues: [], workers };
  }
  const selected = values.get('on') ?? [];
  if (selected.length > 0) return { ...targetOfSelection(selected, 'queues'), workers: [] };
  const instance = one(values, 'instance');
  const key = one(values, 'finding');
  const queues = queuesOf(values);
  const workers = workersOf(values);
  if (key === '' || action === 'sequence' || queues.length > 0 || workers.length > 0)
    return { instance, queues, workers };
  // Too many queues for an address: they are in the finding, as long as it is there.
  const args = one(values, 'args') || '{}';
  const remedy = findings
    .find((finding) => finding.key === key)
    ?.remedies.find((known) => known.action === action && JSON.stringify(known.args) === args);
  if (!remedy)
    throw new ActionError('not-found', 'this finding has changed meanwhile: close and look at it again');
  return { instance, queues: remedy.queues, workers: remedy.workers ?? [] };
}

/** Ticked rows say `<redis>/<queue>`; names of Redises hold no slash. */
function targetOfSelection(
  selected: readonly string[],
  what: 'queues' | 'workers',
): { instance: string; queues: readonly string[] } {
  const parts = selected.map((text) => {
    const slash = text.indexOf('/');
    return { instance: text.slice(0, slash), queue: decoded(text.slice(slash + 1)) };
  });
  const instances = [...new Set(parts.map((part) => part.instance))];
  if (instances.length > 1) {
    throw new ActionError(
      'invalid',
      `the selected ${what} are in ${instances.join(' and ')}: pick those of one Redis at a time`,
    );
  }
  return { instance: instances[0] ?? '', queues: parts.map((part) => part.queue) };
}

/** In addresses as they are; in forms percent-encoded, because HTML turns every line end in a value into another. */
function queuesOf(values: Values): readonly string[] {
  return [...(values.get('queues') ?? []), ...(values.get('encodedQueues') ?? []).map(decoded)];
}

function workersOf(values: Values): readonly string[] {
  return [...(values.get('workers') ?? []), ...(values.get('encodedWorkers') ?? []).map(decoded)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not ours: then it names no queue, and that is said.
    return text;
  }
}

function parseArgs(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below.
  }
  throw new ActionError('invalid', 'args: is not a JSON object; open the action from its button');
}

function one(values: Values, name: string): string {
  return values.get(name)?.[0] ?? '';
}

/** Only another action of this console: never an address that somebody has put into a link. */
function safeAction(text: string): string | null {
  return text.startsWith('/action?') ? text : null;
}

/** What to put into the boxes first: what holds now, so that opening an action and applying it changes nothing. */
export function presentArgs(
  action: string,
  snapshot: Snapshot,
  queue: QueueState | null,
  worker: WorkerState | null = null,
): Record<string, unknown> {
  if (action === 'workers.concurrency' && queue) {
    const slots = snapshot.workers.flatMap((one) =>
      one.queueId === queue.id && one.agent ? one.agent.concurrency.now : [],
    );
    return slots.length > 0 ? { value: Math.max(...slots) } : {};
  }
  if (action === 'worker.concurrency' && worker?.agent) return { value: worker.agent.concurrency.now };
  if (action === 'worker.limiter' && worker?.agent) {
    const { now } = worker.agent.limiter;
    return now ? { max: now.max, durationMs: now.durationMs } : { max: null };
  }

  if (action === 'queue.concurrency' && queue) {
    return {
      value:
        queue.flow === 'paused-by-spillway' ? (queue.pause?.formerConcurrency ?? null) : queue.concurrency,
    };
  }
  if (action === 'queue.rate-limit' && queue) {
    return queue.rateLimit
      ? { max: queue.rateLimit.max, durationMs: queue.rateLimit.durationMs }
      : { max: null };
  }
  if (action === 'queue.clean-finished') return { state: 'completed', keep: 100 };
  if (action === 'redis.raise-maxmemory') {
    const held = fullestNode(snapshot)?.maxBytes ?? 0;
    return held > 0 ? { maxBytes: held } : {};
  }
  return {};
}
