import type { ResolvedProps } from '../../../views/verdict.js';
import type { Episode } from '../../timeline/episode.js';
import type { AppDeps } from '../app-deps.js';

/** That it is over is said for so long, or until something else is wrong. */
const SAID_MS = 30 * 60_000;
/** Troubles closer together than this are one. */
const APART_MS = 60_000;
/** A trouble that lasts longer began before anything else that is looked at. */
const LOOK_BACK_MS = 24 * 3_600_000;

type Deps = Pick<AppDeps, 'episodes' | 'audit' | 'history' | 'now'>;

/** The last critical trouble that has ended, with its peak and what was done about it; null: none lately, or one lasts. */
export async function resolvedOf(deps: Deps): Promise<ResolvedProps | null> {
  const nowMs = deps.now();
  const known = await deps.episodes.between({ fromMs: nowMs - LOOK_BACK_MS, toMs: nowMs });
  const trouble = lastTrouble(known.filter(({ severity }) => severity === 'critical'));
  if (trouble === null || nowMs - trouble.toMs > SAID_MS) return null;
  const { main, fromMs, toMs } = trouble;
  const { instance } = main;
  const [backlog, records] = await Promise.all([
    deps.history.read({
      series: { signal: 'backlog_jobs', instance, node: null, queue: null, type: null },
      fromMs,
      toMs,
      maxPoints: 200,
    }),
    deps.audit.list({ instance, sinceMs: fromMs, beforeMs: nowMs, limit: 200 }),
  ]);
  const peaks = backlog.max.flatMap((most) => most ?? []);
  return {
    headline: main.headline,
    fromMs,
    toMs,
    peakJobs: peaks.length === 0 ? null : Math.max(...peaks),
    actions: records.filter(({ status }) => status === 'applied' || status === 'unverified').length,
    episodeId: main.id,
  };
}

/**
 * Episodes that overlap or follow each other closely, the last of such stretches; null: there is none, or it lasts. Pure.
 * @returns main: of Redis itself where there is one, as that stops the rest; else the longest.
 */
export function lastTrouble(
  episodes: readonly Episode[],
): { readonly main: Episode; readonly fromMs: number; readonly toMs: number } | null {
  let trouble: { main: Episode; fromMs: number; toMs: number } | null = null;
  for (const episode of [...episodes].sort((a, b) => a.beganAtMs - b.beganAtMs)) {
    const endMs = episode.endedAtMs ?? Number.POSITIVE_INFINITY;
    const isNear = trouble !== null && episode.beganAtMs <= trouble.toMs + APART_MS;
    if (trouble?.main.instance === episode.instance && isNear) {
      trouble.toMs = Math.max(trouble.toMs, endMs);
      if (weigh(episode) > weigh(trouble.main)) trouble.main = episode;
    } else if (trouble === null || endMs >= trouble.toMs)
      trouble = { main: episode, fromMs: episode.beganAtMs, toMs: endMs };
  }
  return trouble !== null && Number.isFinite(trouble.toMs) ? trouble : null;
}

function weigh({ code, beganAtMs, endedAtMs }: Episode): number {
  return code.startsWith('redis.') ? Number.POSITIVE_INFINITY : (endedAtMs ?? 0) - beganAtMs;
}
