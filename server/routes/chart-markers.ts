import type { AppDeps } from './app-deps.js';

/** Something that happened within a chart. */
export interface ChartMarker {
  readonly atMs: number;
  /** As on the timeline, e.g. `redis.failover`, `marker.deploy`, `alert.firing`; of an action `action.` and its name. */
  readonly kind: string;
  readonly text: string;
  /** Queue id; null: about the whole Redis. */
  readonly queue: string | null;
  /** Who did it; null: the console noticed it. */
  readonly actor: string | null;
}

/** What is worth a line in a chart: deploys and notes, what became of Redis, alerts, what parked by itself, gaps of our own. */
const KIND_PREFIXES = ['marker.', 'redis.', 'alert.', 'policy.', 'console.started'];
/** More lines than this can't be told apart; the newest are drawn. */
const MAX_MARKERS = 100;

/**
 * What happened to an instance in [fromMs, toMs), oldest first: from the timeline, and actions that were pulled from the
 * audit. With a queue, what is about another one is left out.
 */
export async function chartMarkers(
  { timeline, audit }: Pick<AppDeps, 'timeline' | 'audit'>,
  range: {
    readonly instance: string;
    readonly queue: string | null;
    readonly fromMs: number;
    readonly toMs: number;
  },
): Promise<readonly ChartMarker[]> {
  const { instance, queue, fromMs, toMs } = range;
  const within = { instance, sinceMs: fromMs, beforeMs: toMs };
  const [entries, actions] = await Promise.all([
    timeline.list({ ...within, kindPrefixes: KIND_PREFIXES, limit: MAX_MARKERS }),
    audit.list({ ...within, ...(queue === null ? {} : { queue }), limit: MAX_MARKERS }),
  ]);
  const told = entries
    .filter((entry) => queue === null || entry.queue === null || entry.queue === queue)
    .map(({ atMs, kind, text, queue: about, actor = null }) => ({ atMs, kind, text, queue: about, actor }));
  const pulled = actions
    .filter(({ status }) => status === 'applied' || status === 'unverified')
    .map((action) => ({
      atMs: action.atMs,
      kind: `action.${action.action}`,
      text: action.summary,
      queue: action.queue,
      actor: action.actor,
    }));
  return [...told, ...pulled].sort((a, b) => a.atMs - b.atMs).slice(-MAX_MARKERS);
}
