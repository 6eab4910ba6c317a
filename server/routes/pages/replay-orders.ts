import type { ReplayValues } from '../../../views/replay-form.js';
import type { ReplayChange } from '../../../views/replay-receipt.js';
import type { OrderOutcome } from '../../model/replay.js';
import type { Actor } from '../../model/role.js';
import { type ReplayOrder, ReplayOrderSchema, type ReplaySelection } from '../../replay/replay-request.js';
import { ReplayBodySchema } from '../api/replays.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';

/** What was typed into the form of a replay, as the API would be asked. `problems` is empty where it fits. */
type ReplayAsk =
  | { readonly body: ReturnType<typeof ReplayBodySchema.parse>; readonly problems: readonly [] }
  | { readonly body: null; readonly problems: readonly string[] };

/** Reads the form. A time is UTC unless it says otherwise. */
export function replayAskOf(values: ReplayValues): ReplayAsk {
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
    guard: values.guard !== 'off',
    resetAttempts: values.resetAttempts !== 'off',
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

/** Recorded where nothing was typed: the button itself says what was done. */
const USUAL_REASON = 'by hand, on the page';
const STATES: Readonly<Record<string, ReplayOrder['state']>> = { pause: 'paused', resume: 'running' };
const LABELS: Readonly<Record<string, string>> = { pause: 'Pause', resume: 'Resume', rate: 'Set the rate' };

/** An order to all: which replays, what, and how it is called. @throws Problem for a form that is none of ours. */
export function orderToAll(deps: Pick<AppDeps, 'groups'>, values: ReplayValues) {
  const act = values.act ?? '';
  const label = LABELS[act];
  if (label === undefined) throw new Problem(422, 'invalid-request', 'act: must be pause, resume or rate');
  const order = replayOrderOf({
    ...(act === 'rate' ? { ratePerSecond: values.ratePerSecond ?? '' } : { state: STATES[act] ?? '' }),
    reason: values.reason ?? '',
  });
  return { label, order, selection: selectionOf(deps, values.scope ?? '*') };
}

/** @throws Problem for a button that is none of ours, or a rate that is none. */
export function replayOrderOf({ state, ratePerSecond, reason }: ReplayValues): ReplayOrder {
  const parsed = ReplayOrderSchema.safeParse({
    ...(state === undefined ? {} : { state }),
    ...(ratePerSecond === undefined
      ? {}
      : { ratePerSecond: ratePerSecond === '' ? null : Number(ratePerSecond) }),
    reason: reason?.trim() ? reason : USUAL_REASON,
  });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'order'}: ${message}`);
  throw new Problem(422, 'invalid-request', problems.join('; '));
}

/** `*`, `group:NAME` or `queue:INSTANCE/ID`, percent-encoded: forms change line breaks. @throws Problem */
export function selectionOf({ groups }: Pick<AppDeps, 'groups'>, scope: string): ReplaySelection {
  if (scope === '*') return { globs: ['*'] };
  const [, kind, rest = ''] = /^(group|queue):([^:]*)$/.exec(scope) ?? [];
  if (kind === 'group') {
    const name = decoded(rest);
    const globs = Object.hasOwn(groups, name) ? groups[name] : undefined;
    if (globs) return { globs };
    throw new Problem(404, 'not-found', `there is no group ${name.slice(0, 100)}`);
  }
  const slash = rest.indexOf('/');
  if (kind !== 'queue' || slash < 0)
    throw new Problem(422, 'invalid-request', 'scope: must be everywhere, a group or a queue');
  return { instance: rest.slice(0, slash), queueId: decoded(rest.slice(slash + 1)), globs: [] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem(422, 'invalid-request', 'scope: is not percent-encoded');
  }
}

/** A look at Redis takes a second at most while it is well; nobody is kept waiting longer than this for it. */
const SEEN_WITHIN_MS = 2_000;

/** Waits until the console has seen what was done to replay queues, so that the page that follows does not offer it anew. */
export function untilSeen(
  { watch, replayQueues }: Pick<AppDeps, 'watch' | 'replayQueues'>,
  outcomes: readonly OrderOutcome[],
  { state }: ReplayOrder,
): Promise<void> {
  const changed = new Set(
    outcomes.flatMap(({ replay, status, instance, queues: [id] }) =>
      replay === null && status === 'applied' ? [`${instance}/${id}`] : [],
    ),
  );
  const old = state === 'paused' ? 'running' : 'paused-by-spillway';
  const isSeen = (): boolean =>
    !replayQueues
      .list()
      .some((queue) => queue.state === old && changed.has(`${queue.instance}/${queue.queue}`));
  if (state === undefined || isSeen()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, SEEN_WITHIN_MS);
    const stop = watch.onTick(() => {
      if (isSeen()) end();
    });
  });
}

const MAX_KEPT = 100;
const kept = new Map<string, { readonly actor: string; readonly receipt: ReplayChange }>();

/**
 * Keeps what came of an order for the page that comes after it, so that reloading that page does nothing once more. The
 * last hundred, in memory: the audit has them all.
 * @returns the address to go to.
 */
export function keepReceipt(id: string, actor: Actor, receipt: ReplayChange, back: string): string {
  kept.set(id, { actor: actor.name, receipt });
  for (const old of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(old);
  }
  return `${back}?${new URLSearchParams({ receipt: id })}`;
}

/** What came of an order, for whoever gave it; null: nothing to tell, or it is forgotten. */
export function receiptFor(actor: Actor, id: string | undefined): ReplayChange | null {
  const found = id === undefined ? undefined : kept.get(id);
  return found?.actor === actor.name ? found.receipt : null;
}
