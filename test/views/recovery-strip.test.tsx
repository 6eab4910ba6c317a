import { describe, expect, it } from 'vitest';
import type { Parking } from '../../server/model/parking.js';
import type { ReplayQueueView, ReplayView } from '../../server/model/replay.js';
import { accountOf, NO_COUNTS } from '../../server/model/replay.js';
import { SpecSchema } from '../../server/model/replay-spec.js';
import { newParking } from '../../server/replay/parking/parking.js';
import { orderToAll, selectionOf } from '../../server/routes/pages/replay-orders.js';
import { RecoveryStrip, replayScopes } from '../../views/recovery-strip.js';
import { ReplayQueueList } from '../../views/replay-queues.js';

const counts = { ...NO_COUNTS, counted: 1_000 };
function replay(state: ReplayView['record']['state']): ReplayView {
  return {
    record: {
      id: state,
      instance: 'default',
      spec: SpecSchema.parse({ reason: 'why' }),
      queues: ['bull:mail'],
      actor: 'ada',
      createdAtMs: 0,
      cutoffMs: 0,
      endedAtMs: null,
      state,
      pausedBy: null,
      ratePerSecond: 50,
      reason: '',
      counts,
      cursors: {},
      isSwept: false,
      needsResweep: false,
      lastSeq: 0,
      baseline: null,
      canaryFrom: { moved: 0, succeeded: 0, failedAgain: 0, gone: 0 },
    },
    account: accountOf(counts, false),
    pacePerSecond: 50,
    paceReason: '',
    movedPerSecond: 40,
    remainingSeconds: 25,
  };
}
const queue = (state: ReplayQueueView['state']): ReplayQueueView => ({
  instance: 'default',
  queue: `bull:retry-${state}`,
  name: `retry-${state}`,
  state,
  backlog: 5,
  active: 1,
  perSecond: 2,
  rateLimit: null,
});

type Strip = Partial<Parameters<typeof RecoveryStrip>[0]>;
const textOf = (element: unknown): string =>
  String(element)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
const strip = (some: Strip): string =>
  String(
    <RecoveryStrip {...{ replays: [], replayQueues: [], held: [], role: 'operator', back: '/' }} {...some} />,
  );

describe('the line on the first screen', () => {
  it('says how many run, stand and wait, at which rate, and what one press will do', () => {
    const all = strip({
      replays: [replay('running'), replay('paused'), replay('done')],
      replayQueues: [queue('running'), queue('paused-by-spillway'), queue('paused')],
    });
    expect(textOf(all)).toBe(
      'Replays : 1 replay under way at 40/s, 1 replay paused, 1 replay queue at 2/s, 1 replay queue paused, 1 replay queue paused by the application, 2,000 jobs remain, 15 jobs wait in replay queues Pause all replays It stops 1 replay and pauses 1 replay queue. Jobs stay where they are.',
    );
    const stood = strip({ replays: [replay('paused')], replayQueues: [queue('paused-by-spillway')] });
    expect(textOf(stood)).toMatch(
      /Resume all replays It goes on with 1 replay and resumes 1 replay queue. Rates are those of before.$/,
    );
  });

  it('says for which numbers the guard has stopped a replay', () => {
    const { record, ...now } = replay('paused');
    const account = accountOf({ ...counts, moved: 20, failedAgain: 20 }, false);
    const stopped = { ...now, account, record: { ...record, pausedBy: 'guard' as const } };
    expect(textOf(strip({ replays: [stopped] }))).toMatch(
      /^Replays : 1 replay stopped: 20 of 20 failed again, 980 jobs remain/,
    );
  });

  it('is not there without replays, and has no button for who may only look', () => {
    expect(strip({ replays: [replay('done')] })).toBe('<div id="recovery" class="recovery is-empty"></div>');
    const seen = strip({ replays: [replay('running')], replayQueues: [queue('running')], role: 'viewer' });
    expect(seen).not.toMatch(/button|It stops/);
    expect(textOf(ReplayQueueList({ queues: [queue('running')], role: 'viewer' }))).not.toMatch(
      /Pause|Rate limit/,
    );
  });

  it('says how many jobs are parked with the way back, and while they come back how far that is', () => {
    const parked: Parking = {
      ...newParking(
        'p1',
        {
          ...{ instance: 'default', queue: 'bull:mail', states: ['waiting'], jobTypes: null, most: null },
          ...{ reason: '', actor: 'ada', origin: 'person' },
        },
        0,
      ),
      ...{ state: 'done', parked: 37_848, remaining: 37_848 },
    };
    expect(textOf(strip({ held: [parked] }))).toBe('37,848 jobs parked · Restore');
    expect(strip({ held: [parked] })).toContain('action=queue.unpark');
    expect(textOf(strip({ held: [parked], role: 'viewer' }))).toBe('37,848 jobs parked · Parked jobs');
    const coming: Parking = { ...parked, phase: 'restore', state: 'running', remaining: 37_828 };
    expect(textOf(strip({ held: [coming] }))).toBe('Restore running: 20 of 37,848 jobs back · Parked jobs');
  });
});

describe('what the action is about', () => {
  const deps = { groups: { post: ['*mail*'] } };
  it('is what was offered: everywhere, a group, or a queue by its own id, whatever characters that holds', () => {
    const odd = { ...queue('running'), queue: 'bull:retry*/a?\n%' };
    const scopes = replayScopes([replay('running')], [odd], Object.keys(deps.groups));
    expect(scopes.map(({ value }) => selectionOf(deps, value))).toEqual([
      { globs: ['*'] },
      { globs: ['*mail*'] },
      { instance: 'default', queueId: 'bull:mail', globs: [] },
      { instance: 'default', queueId: 'bull:retry*/a?\n%', globs: [] },
    ]);
  });

  it('is refused where it was not offered, and so is a rate that is none', () => {
    for (const scope of ['', 'group:other', 'group:constructor', 'queue:bull:mail', 'queue:default/%', 'all'])
      expect(() => selectionOf(deps, scope), scope).toThrow();
    expect(() => orderToAll(deps, { act: 'rate', ratePerSecond: '' })).toThrow(/ratePerSecond/);
    expect(() => orderToAll(deps, { act: 'abort' })).toThrow(/act/);
    expect(orderToAll(deps, { act: 'pause', ratePerSecond: 'x' }).order).toEqual({
      state: 'paused',
      reason: 'by hand, on the page',
    });
  });
});
