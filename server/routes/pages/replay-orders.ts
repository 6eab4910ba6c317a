import type { OrderOutcome } from '../../model/replay.js';
import type { ReplayOrder, ReplaySelection } from '../../replay/replay-request.js';
import { ReplayOrderSchema } from '../../replay/replay-request.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';

type Values = Readonly<Record<string, string>>;

/** Recorded where nothing was typed: the button itself says what was done. */
const USUAL_REASON = 'by hand, on the page';
const STATES: Readonly<Record<string, ReplayOrder['state']>> = { pause: 'paused', resume: 'running' };
const LABELS: Readonly<Record<string, string>> = { pause: 'Pause', resume: 'Resume', rate: 'Set the rate' };

/** An order to all: which replays, what, and how it is called. @throws Problem for a form that is none of ours. */
export function orderToAll(deps: Pick<AppDeps, 'groups'>, values: Values) {
  const act = values.act ?? '';
  const label = LABELS[act];
  if (label === undefined) throw new Problem(422, 'invalid-request', 'act: must be pause, resume or rate');
  const order = orderOf({
    ...(act === 'rate' ? { ratePerSecond: values.ratePerSecond ?? '' } : { state: STATES[act] ?? '' }),
    reason: values.reason ?? '',
  });
  return { label, order, selection: selectionOf(deps, values.scope ?? '*') };
}

/** @throws Problem for a button that is none of ours, or a rate that is none. */
export function orderOf({ state, ratePerSecond, reason }: Values): ReplayOrder {
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
