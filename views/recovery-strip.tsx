import type { FC } from 'hono/jsx';
import { formatCount, formatJobs, formatRate, formatThings } from '../server/model/format.js';
import type { Parking } from '../server/model/parking.js';
import { hasEnded, type ReplayQueueView, type ReplayView } from '../server/model/replay.js';
import { includesRole, type Role } from '../server/model/role.js';
import { plainName } from '../server/model/words.js';
import { actionPath, encodePart } from './links.js';
import { replayState } from './replay.js';

export interface RecoveryProps {
  readonly replays: readonly ReplayView[];
  readonly replayQueues: readonly ReplayQueueView[];
  /** With jobs on disk, or under way. */
  readonly held: readonly Parking[];
  readonly role: Role;
  /** The page to be on after a button. */
  readonly back: string;
}

/** What is being recovered, wherever else it matters: replays under way and parked jobs, each with its one action. A live part. */
export const RecoveryStrip: FC<RecoveryProps> = (props) => {
  const { text, effect, order } = underWayOf(props);
  const parked = heldInWords(props.held);
  return (
    <div id="recovery" class={text === '' && parked === '' ? 'recovery is-empty' : 'recovery'}>
      {text === '' ? null : (
        <div class="recovery-line">
          <p>
            <a href="/replays">Replays</a>: {text}
          </p>
          {order === null ? null : (
            <form method="post" action="/replays/all">
              <input type="hidden" name="back" value={props.back} />
              <button type="submit" class="small-button" name="act" value={order} title={effect}>
                {order === 'pause' ? 'Pause all replays' : 'Resume all replays'}
              </button>
            </form>
          )}
          {effect === '' ? null : <p class="muted">{effect}</p>}
        </div>
      )}
      {parked === '' ? null : (
        <p class="recovery-line">
          {parked}
          {restoreOf(props)}
        </p>
      )}
    </div>
  );
};

/** "37,848 jobs parked", "Restore running: 20 of 3,000 jobs back"; empty: nothing is held. */
export function heldInWords(held: readonly Parking[]): string {
  const coming = held.filter(({ phase, state }) => phase === 'restore' && state === 'running');
  const jobs = sumOf(held, ({ remaining }) => remaining);
  if (coming.length === 0) return jobs === 0 ? '' : `${formatJobs(jobs)} parked`;
  const parked = sumOf(coming, (parking) => parking.parked);
  const back = parked - sumOf(coming, ({ remaining }) => remaining);
  return `Restore running: ${formatCount(back)} of ${formatJobs(parked)} back`;
}

function restoreOf({ held, role }: RecoveryProps) {
  const [only, ...others] = held;
  if (!only) return null;
  const mayRestore = others.length === 0 && only.state !== 'running' && includesRole(role, 'operator');
  return (
    <>
      {' · '}
      {mayRestore ? (
        <a href={restorePath(only)} data-drawer="">
          Restore
        </a>
      ) : (
        <a href="/replays#parked">Parked jobs</a>
      )}
    </>
  );
}

/** The drawer that brings a parking back. */
export function restorePath({ instance, queue, id }: Parking): string {
  return actionPath({ action: 'queue.unpark', instance, queues: [queue], args: { parking: id } });
}

/** All replays and replay queues in one line, and what the one button does; '' and null: there is none. */
function underWayOf({ replays, replayQueues, role }: Omit<RecoveryProps, 'back' | 'held'>): {
  readonly text: string;
  readonly effect: string;
  readonly order: 'pause' | 'resume' | null;
} {
  const live = replays.filter(({ record }) => !hasEnded(record));
  const running = live.filter(({ record }) => record.state === 'running');
  const stopped = live.filter(({ record }) => record.pausedBy === 'guard');
  const paused = live.length - running.length - stopped.length;
  const flowing = replayQueues.filter(({ state }) => state === 'running');
  const byConsole = replayQueues.filter(({ state }) => state === 'paused-by-spillway');
  const byOthers = replayQueues.length - flowing.length - byConsole.length;
  const text = [
    running.length > 0 &&
      `${formatThings(running.length, 'replay')} under way at ${formatRate(sumOf(running, ({ movedPerSecond }) => movedPerSecond))}`,
    ...stopped.map((view) => `1 replay ${replayState(view).word}`),
    paused > 0 && `${formatThings(paused, 'replay')} paused`,
    flowing.length > 0 &&
      `${formatThings(flowing.length, 'replay queue')} at ${formatRate(sumOf(flowing, ({ perSecond }) => perSecond ?? 0))}`,
    byConsole.length > 0 && `${formatThings(byConsole.length, 'replay queue')} paused`,
    byOthers > 0 && `${formatThings(byOthers, 'replay queue')} paused by the application`,
    live.length > 0 && `${formatCount(sumOf(live, ({ account }) => account.remaining))} jobs remain`,
    replayQueues.length > 0 &&
      `${formatJobs(sumOf(replayQueues, ({ backlog }) => backlog))} wait in replay queues`,
  ].filter((part) => part !== false);
  const mayAct = includesRole(role, 'operator');
  const canPause = mayAct && running.length + flowing.length > 0;
  const canResume = mayAct && !canPause && live.length + byConsole.length > 0;
  return {
    text: text.join(', '),
    effect: canPause
      ? effectOf('stops', running.length, 'pauses', flowing.length, 'Jobs stay where they are.')
      : canResume
        ? effectOf('goes on with', live.length, 'resumes', byConsole.length, 'Rates are those of before.')
        : '',
    order: canPause ? 'pause' : canResume ? 'resume' : null,
  };
}

/** "It stops 2 replays and pauses 1 replay queue. Jobs stay where they are." */
function effectOf(moves: string, replays: number, runs: string, queues: number, then: string): string {
  const parts = [
    replays > 0 && `${moves} ${formatThings(replays, 'replay')}`,
    queues > 0 && `${runs} ${formatThings(queues, 'replay queue')}`,
  ];
  return `It ${parts.filter((part) => part !== false).join(' and ')}. ${then}`;
}

const MAX_SCOPES = 50;

/** What an order may be about, as `selectionOf` reads it back: everywhere, a group, or a queue. */
export function replayScopes(
  replays: readonly ReplayView[],
  replayQueues: readonly ReplayQueueView[],
  groups: readonly string[],
): readonly { readonly value: string; readonly label: string }[] {
  const ids = [
    ...replays
      .filter(({ record }) => !hasEnded(record))
      .flatMap(({ record }) => record.queues.map((queue) => ({ instance: record.instance, queue }))),
    ...replayQueues,
  ].map(({ instance, queue }) => ({
    value: `queue:${instance}/${encodePart(queue)}`,
    label: `${plainName(queue)} (${instance})`,
  }));
  return [
    { value: '*', label: 'everywhere' },
    ...groups.map((name) => ({ value: `group:${encodePart(name)}`, label: `group ${plainName(name)}` })),
    ...[...new Map(ids.map((scope) => [scope.value, scope])).values()].slice(0, MAX_SCOPES),
  ];
}

function sumOf<T>(of: readonly T[], number: (one: T) => number): number {
  return of.reduce((sum, one) => sum + number(one), 0);
}
