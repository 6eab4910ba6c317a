import { describe, expect, it } from 'vitest';
import type { ReplayQueueView, ReplayView } from '../../server/model/replay.js';
import { accountOf, NO_COUNTS } from '../../server/model/replay.js';
import { SpecSchema } from '../../server/model/replay-spec.js';
import { orderToAll, selectionOf } from '../../server/routes/pages/replay-orders.js';
import {
  pauseAllOf,
  replayQueuesOf,
  replayScopeOf,
} from '../../server/routes/pages/replay-summary-view-model.js';

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

describe('the line on the first screen', () => {
  it('says how many run, stand and wait, at which rate, and what one press will do', () => {
    const all = pauseAllOf(
      [replay('running'), replay('paused'), replay('done')],
      [queue('running'), queue('paused-by-spillway'), queue('paused')],
      'operator',
      '/',
    );
    expect(all.text).toBe(
      '1 replay under way at 40/s, 1 replay paused, 1 replay queue at 2/s, 1 replay queue paused, 1 replay queue paused by the application, 2,000 jobs remain, 15 jobs wait in replay queues',
    );
    expect(all.effect).toBe('It stops 1 replay and pauses 1 replay queue. Jobs stay where they are.');
    expect([all.canPause, all.canResume]).toEqual([true, false]);
    const stood = pauseAllOf([replay('paused')], [queue('paused-by-spillway')], 'operator', '/');
    expect(stood.effect).toBe(
      'It goes on with 1 replay and resumes 1 replay queue. Rates are those of before.',
    );
    expect([stood.canPause, stood.canResume]).toEqual([false, true]);
  });

  it('is not there without replays, and has no button for who may only look', () => {
    expect(pauseAllOf([replay('done')], [], 'operator', '/')).toMatchObject({ text: '', effect: '' });
    const seen = pauseAllOf([replay('running')], [queue('running')], 'viewer', '/');
    expect([seen.canPause, seen.canResume, seen.effect]).toEqual([false, false, '']);
    expect(replayScopeOf([replay('running')], [], {}, 'viewer', '/')).toBeNull();
    expect(replayQueuesOf([queue('running')], 'viewer').rows[0]?.actions).toEqual([]);
  });
});

describe('what the action is about', () => {
  const deps = { groups: { post: ['*mail*'] } };
  it('is what was offered: everywhere, a group, or a queue by its own id, whatever characters that holds', () => {
    const odd = { ...queue('running'), queue: 'bull:retry*/a?\n%' };
    const scope = replayScopeOf([replay('running')], [odd], deps.groups, 'operator', '/');
    expect(scope?.scopes.map(({ value }) => selectionOf(deps, value))).toEqual([
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
