import { actionPath, encodePart, queuePath } from '../../../views/links.js';
import type { ReplayQueueRow, ReplayQueuesProps } from '../../../views/replay-queues.js';
import type { ReplayScopeProps } from '../../../views/replay-scope.js';
import type { PauseAllProps } from '../../../views/replay-summary.js';
import { formatCount, formatJobs, formatRate, formatRateLimit, formatThings } from '../../model/format.js';
import type { ReplayQueueView, ReplayView } from '../../model/replay.js';
import { hasEnded } from '../../model/replay.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName } from '../../model/words.js';

const MAX_ROWS = 50;

/** All that are under way, and all replay queues, in one line. */
export function pauseAllOf(
  views: readonly ReplayView[],
  queues: readonly ReplayQueueView[],
  role: Role,
  back: string,
): PauseAllProps {
  const live = views.filter(({ record }) => !hasEnded(record));
  const running = live.filter(({ record }) => record.state === 'running');
  const paused = live.length - running.length;
  const flowing = queues.filter(({ state }) => state === 'running');
  const byConsole = queues.filter(({ state }) => state === 'paused-by-spillway');
  const text = [
    running.length > 0
      ? `${formatThings(running.length, 'replay')} under way at ${formatRate(sumOf(running, ({ movedPerSecond }) => movedPerSecond))}`
      : '',
    paused > 0 ? `${formatThings(paused, 'replay')} paused` : '',
    flowing.length > 0
      ? `${formatThings(flowing.length, 'replay queue')} at ${formatRate(sumOf(flowing, ({ perSecond }) => perSecond ?? 0))}`
      : '',
    byConsole.length > 0 ? `${formatThings(byConsole.length, 'replay queue')} paused` : '',
    queues.length > flowing.length + byConsole.length
      ? `${formatThings(queues.length - flowing.length - byConsole.length, 'replay queue')} paused by the application`
      : '',
    live.length > 0 ? `${formatCount(sumOf(live, ({ account }) => account.remaining))} jobs remain` : '',
    queues.length > 0 ? `${formatJobs(sumOf(queues, ({ backlog }) => backlog))} wait in replay queues` : '',
  ];
  const mayAct = includesRole(role, 'operator');
  const canPause = mayAct && (running.length > 0 || flowing.length > 0);
  const canResume = mayAct && !canPause && (paused > 0 || byConsole.length > 0);
  return {
    text: text.filter((part) => part !== '').join(', '),
    effect: canPause
      ? effectOf('stops', running.length, 'pauses', flowing.length, 'Jobs stay where they are.')
      : canResume
        ? effectOf('goes on with', paused, 'resumes', byConsole.length, 'Rates are those of before.')
        : '',
    canPause,
    canResume,
    back,
  };
}

/** "Stops 2 replays and pauses 1 replay queue. Jobs stay where they are." */
function effectOf(moves: string, replays: number, runs: string, queues: number, then: string): string {
  const parts = [
    replays > 0 ? `${moves} ${formatThings(replays, 'replay')}` : '',
    queues > 0 ? `${runs} ${formatThings(queues, 'replay queue')}` : '',
  ];
  return `It ${parts.filter((part) => part !== '').join(' and ')}. ${then}`;
}

/** What the action may be about; null: this role may not. A scope is read back by `selectionOf`. */
export function replayScopeOf(
  views: readonly ReplayView[],
  queues: readonly ReplayQueueView[],
  groups: Readonly<Record<string, readonly string[]>>,
  role: Role,
  back: string,
): ReplayScopeProps | null {
  if (!includesRole(role, 'operator')) return null;
  const ids = [
    ...views
      .filter(({ record }) => !hasEnded(record))
      .flatMap(({ record }) => record.queues.map((queue) => ({ instance: record.instance, queue }))),
    ...queues,
  ].map(
    ({ instance, queue: id }) =>
      [`queue:${instance}/${encodePart(id)}`, `${plainName(id)} (${instance})`] as const,
  );
  return {
    back,
    scopes: [
      { value: '*', label: 'everywhere' },
      ...Object.keys(groups).map((name) => ({
        value: `group:${encodePart(name)}`,
        label: `group ${plainName(name)}`,
      })),
      ...[...new Map(ids)].slice(0, MAX_ROWS).map(([value, label]) => ({ value, label })),
    ],
  };
}

const FLOWS = {
  running: { state: 'calm', icon: 'flowing', stateWord: 'running' },
  'paused-by-spillway': { state: 'warning', icon: 'paused-by-spillway', stateWord: 'paused by Spillway' },
  paused: { state: 'info', icon: 'paused', stateWord: 'paused by the application' },
} as const;

/** Replay queues as the page of replays lists them. */
export function replayQueuesOf(queues: readonly ReplayQueueView[], role: Role): ReplayQueuesProps {
  return {
    rows: queues.slice(0, MAX_ROWS).map((queue) => rowOf(queue, role)),
    more: Math.max(0, queues.length - MAX_ROWS),
  };
}

function rowOf(queue: ReplayQueueView, role: Role): ReplayQueueRow {
  const { instance, queue: id, rateLimit } = queue;
  const name = plainName(queue.name);
  const link = (action: string, label: string) => ({
    label,
    about: `${label}: ${name}`,
    href: actionPath({ action, instance, queues: [id] }),
  });
  return {
    name,
    place: plainName(instance),
    href: queuePath(instance, id),
    ...FLOWS[queue.state],
    text: [
      queue.perSecond === null ? 'rate not known yet' : `${formatRate(queue.perSecond)} leave`,
      `${formatCount(queue.backlog)} wait`,
      `${formatCount(queue.active)} running`,
      rateLimit === null
        ? 'no global rate limit'
        : `at most ${formatRateLimit(rateLimit.max, rateLimit.durationMs)}`,
    ].join(', '),
    actions: includesRole(role, 'operator')
      ? [
          queue.state === 'running' ? link('queue.pause', 'Pause') : link('queue.resume', 'Resume'),
          link('queue.rate-limit', 'Rate limit'),
        ]
      : [],
  };
}

function sumOf<T>(of: readonly T[], number: (one: T) => number): number {
  return of.reduce((sum, one) => sum + number(one), 0);
}
